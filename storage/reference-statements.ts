import type { ReferenceEndpoint } from '../model/reference.ts';

/** A column, by the field of Xero's that fills it and its type. */
type Columns = Record<string, [field: string, type: 'text' | 'uuid' | 'int' | 'boolean' | 'date' | 'instant']>;

const organisationColumns: Columns = {
  organisation_id: ['OrganisationID', 'uuid'],
  name: ['Name', 'text'],
  legal_name: ['LegalName', 'text'],
  short_code: ['ShortCode', 'text'],
  base_currency: ['BaseCurrency', 'text'],
  country_code: ['CountryCode', 'text'],
  timezone: ['Timezone', 'text'],
  financial_year_end_day: ['FinancialYearEndDay', 'int'],
  financial_year_end_month: ['FinancialYearEndMonth', 'int'],
  period_lock_date: ['PeriodLockDate', 'date'],
  end_of_year_lock_date: ['EndOfYearLockDate', 'date'],
  sales_tax_basis: ['SalesTaxBasis', 'text'],
  organisation_type: ['OrganisationType', 'text'],
  organisation_status: ['OrganisationStatus', 'text'],
  version: ['Version', 'text'],
  class: ['Class', 'text'],
  edition: ['Edition', 'text'],
  is_demo_company: ['IsDemoCompany', 'boolean'],
  created_date_utc: ['CreatedDateUTC', 'instant'],
};

const accountColumns: Columns = {
  account_id: ['AccountID', 'uuid'],
  code: ['Code', 'text'],
  name: ['Name', 'text'],
  type: ['Type', 'text'],
  class: ['Class', 'text'],
  status: ['Status', 'text'],
  description: ['Description', 'text'],
  system_account: ['SystemAccount', 'text'],
  tax_type: ['TaxType', 'text'],
  currency_code: ['CurrencyCode', 'text'],
  reporting_code: ['ReportingCode', 'text'],
  reporting_code_name: ['ReportingCodeName', 'text'],
  enable_payments_to_account: ['EnablePaymentsToAccount', 'boolean'],
  show_in_expense_claims: ['ShowInExpenseClaims', 'boolean'],
  bank_account_number: ['BankAccountNumber', 'text'],
  bank_account_type: ['BankAccountType', 'text'],
  has_attachments: ['HasAttachments', 'boolean'],
  updated_date_utc: ['UpdatedDateUTC', 'instant'],
};

const contactColumns: Columns = {
  contact_id: ['ContactID', 'uuid'],
  name: ['Name', 'text'],
  contact_number: ['ContactNumber', 'text'],
  account_number: ['AccountNumber', 'text'],
  contact_status: ['ContactStatus', 'text'],
  email_address: ['EmailAddress', 'text'],
  first_name: ['FirstName', 'text'],
  last_name: ['LastName', 'text'],
  tax_number: ['TaxNumber', 'text'],
  default_currency: ['DefaultCurrency', 'text'],
  is_customer: ['IsCustomer', 'boolean'],
  is_supplier: ['IsSupplier', 'boolean'],
  merged_to_contact_id: ['MergedToContactID', 'uuid'],
  updated_date_utc: ['UpdatedDateUTC', 'instant'],
};

const trackingCategoryColumns: Columns = {
  tracking_category_id: ['TrackingCategoryID', 'uuid'],
  name: ['Name', 'text'],
  status: ['Status', 'text'],
};

/** The array of each endpoint's answer. */
export const responseArrays: Record<ReferenceEndpoint, string> = {
  organisation: 'Organisations',
  accounts: 'Accounts',
  trackingCategories: 'TrackingCategories',
  contacts: 'Contacts',
};

const read: Record<Columns[string][1], (field: string) => string> = {
  text: (field) => `j->>'${field}'`,
  // An empty text is how some of Xero's endpoints say that there is none.
  uuid: (field) => `nullif(j->>'${field}', '')::uuid`,
  int: (field) => `nullif(j->>'${field}', '')::int`,
  boolean: (field) => `nullif(j->>'${field}', '')::boolean`,
  date: (field) => `daybook.xero_date(nullif(j->>'${field}', ''))`,
  instant: (field) => `daybook.xero_instant(nullif(j->>'${field}', ''))`,
};

/** An instant of Postgres's, ISO in UTC. */
export const asText = (instant: string) => `to_char((${instant}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/**
 * Whether a row that comes counts against the one that is stored: it is no older, or that was dated ahead of the clock when it was
 * stored, and then whatever Xero says since is newer.
 */
const isNewer = (come: string, stored: string) =>
  `(coalesce(${come}.updated_date_utc >= ${stored}.updated_date_utc, true) or ${stored}.updated_date_utc > ${stored}.stored_at)`;

/** One answer: $1 tenant, $2 run, $3 the response text. Rows go in one order, lest two runs of a tenant wait for each other. */
function statement(
  endpoint: ReferenceEndpoint,
  { table, columns, key, more = '' }: { table: string; columns: Columns; key: string[]; more?: string },
): string {
  const names = Object.keys(columns);
  const updated = 'updated_date_utc' in columns;
  const id = names[0];
  const stored = [...names, 'payload', 'run_id'].map((name) => `${name} = excluded.${name}`).join(', ');
  return `
  with element as (
    select e.j, e.place from jsonb_array_elements($3::jsonb -> '${responseArrays[endpoint]}') with ordinality as e (j, place)
  ), parsed as (
    select place, j, ${names.map((name) => `${columns[name] && read[columns[name][1]](columns[name][0])} as ${name}`).join(', ')}
      from element
  ), newest as (
    select distinct on (${id}) * from parsed order by ${id}${updated ? ', updated_date_utc desc nulls last' : ''}, place desc
  ), stored as (
    insert into xero.${table} as t (tenant_id, ${names.join(', ')}, payload, run_id)
    select $1::uuid, ${names.join(', ')}, j, $2::uuid from newest order by ${id}
    on conflict (${key.join(', ')}) do update set ${stored}, stored_at = now()
    ${updated ? `where ${isNewer('excluded', 't')}` : ''}
    returning ${id}
  )${more}
  ${
    updated
      ? `select ${asText('min(updated_date_utc)')} as oldest, ${asText('max(updated_date_utc)')} as newest,
            coalesce(bool_and(updated_date_utc >= before), true) as ascending
       from (select updated_date_utc, lag(updated_date_utc) over (order by place) as before from parsed) as p`
      : 'select null as oldest, null as newest, true as ascending'
  }`;
}

/** The chart as it was: a row for each account that is new or has another code, name, type, class or status than before. */
const history = `, history as (
    insert into xero.account_history (tenant_id, account_id, seen_at, code, name, type, class, status, run_id)
    select $1::uuid, n.account_id, now(), n.code, n.name, n.type, n.class, n.status, $2::uuid
      from newest n left join xero.account a on a.tenant_id = $1 and a.account_id = n.account_id
     where ${isNewer('n', 'a')}
       and (a.account_id is null
            or (a.code, a.name, a.type, a.class, a.status) is distinct from (n.code, n.name, n.type, n.class, n.status))
    on conflict do nothing
  )`;

/** Options that Xero stops sending stay, as their category does: old journals still name them. They are written where `when` holds. */
const options = (when: string) => `, option as (
    insert into xero.tracking_category_option as t (tenant_id, tracking_category_id, tracking_option_id, name, status,
                                                    is_active, is_archived, is_deleted, has_validation_errors)
    select distinct on (n.tracking_category_id, o->>'TrackingOptionID')
           $1::uuid, n.tracking_category_id, (o->>'TrackingOptionID')::uuid, o->>'Name', o->>'Status',
           nullif(o->>'IsActive', '')::boolean, nullif(o->>'IsArchived', '')::boolean,
           nullif(o->>'IsDeleted', '')::boolean, nullif(o->>'HasValidationErrors', '')::boolean
      from newest n, jsonb_array_elements(coalesce(nullif(n.j->'Options', 'null'), '[]')) as o
     where ${when}
     order by n.tracking_category_id, o->>'TrackingOptionID'
    on conflict (tenant_id, tracking_category_id, tracking_option_id) do update
       set name = excluded.name, status = excluded.status, is_active = excluded.is_active,
           is_archived = excluded.is_archived, is_deleted = excluded.is_deleted,
           has_validation_errors = excluded.has_validation_errors
  )`;

/** Where each endpoint's rows go, in the order of reading; the first column is their id. */
const tables: Record<ReferenceEndpoint, { table: string; columns: Columns; key: string[]; more?: string }> = {
  organisation: { table: 'organisation', columns: organisationColumns, key: ['tenant_id'] },
  accounts: { table: 'account', columns: accountColumns, key: ['tenant_id', 'account_id'], more: history },
  trackingCategories: {
    table: 'tracking_category',
    columns: trackingCategoryColumns,
    key: ['tenant_id', 'tracking_category_id'],
    // Behind their category: a rebuild locks that first, too, and two that lock in different orders wait for each other for ever.
    more: options('(select count(*) from stored) >= 0'),
  },
  contacts: { table: 'contact', columns: contactColumns, key: ['tenant_id', 'contact_id'] },
};

function each<T>(make: (endpoint: ReferenceEndpoint) => T): Record<ReferenceEndpoint, T> {
  const endpoints = Object.keys(tables) as ReferenceEndpoint[];
  return Object.fromEntries(endpoints.map((endpoint) => [endpoint, make(endpoint)])) as Record<ReferenceEndpoint, T>;
}

/** One statement for each endpoint, in the order of reading. */
export const referenceStatements = each((endpoint) => statement(endpoint, tables[endpoint]));

/** The same from the payloads that are stored: table, id and what each column is of a payload `j`. */
export const referenceRows = each((endpoint) => {
  const { table, columns } = tables[endpoint];
  const values = Object.fromEntries(Object.entries(columns).map(([name, [field, type]]) => [name, read[type](field)]));
  return { table, id: Object.keys(columns)[0] ?? '', columns: values };
});

/** Options of tracking categories likewise. $1 tenant, $2 ids of the categories. */
export const putStoredOptions = `
  with newest as (
    select tracking_category_id, payload as j from xero.tracking_category
     where tenant_id = $1 and tracking_category_id = any($2::uuid[])
  )${options('true')} select`;
