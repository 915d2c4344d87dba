import type { Account } from '../books/chart.ts';
import type { TrackingCategory } from '../books/tracking.ts';
import { notImplemented, validationFailed } from '../dialects.ts';
import type { Answer, Exchange } from '../exchange.ts';
import { mixText } from '../seeded.ts';
import { envelope, msDate } from '../wire.ts';
import { ifModifiedSince, isTrue } from './parameters.ts';
import type { ApiRequest } from './request.ts';

const DATE = /"@@(-?\d+)"/g;
/** Stands for a .NET date until the text is written: JSON.stringify would not escape its slashes as Xero does. */
export const dateMark = (ms: number): string => `@@${ms}`;

/** Items without amounts, through JSON.stringify, in Xero's envelope. */
export function answerItems(name: string, items: readonly object[], now: number, more = ''): Answer {
  const text = items.map((item) => JSON.stringify(item).replace(DATE, (_, ms: string) => msDate(Number(ms)))).join(',');
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: envelope(name, text, now, more),
  };
}

/** Sorts by one field of the answer, or refuses: `where` is a language of its own that the sandbox does not speak. */
export function ordered<T extends object>(items: readonly T[], exchange: Exchange): T[] | Answer {
  if (exchange.query.has('where')) return notImplemented('The sandbox does not read "where".');
  const [field, direction] = (exchange.query.get('order') ?? '').split(' ');
  if (field === undefined || field === '') return [...items];
  if (items.length > 0 && !items.some((item) => field in item)) {
    return validationFailed(`Nothing here can be ordered by "${field}".`);
  }
  const sign = direction?.toUpperCase() === 'DESC' ? -1 : 1;
  const keyOf = (item: T): string => String((item as Record<string, unknown>)[field] ?? '');
  return items.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -sign : keyOf(a) > keyOf(b) ? sign : 0));
}

const ZONES: Record<string, string> = {
  NZ: 'NEWZEALANDSTANDARDTIME',
  AU: 'AUSEASTERNSTANDARDTIME',
  GB: 'GMTSTANDARDTIME',
  DK: 'ROMANCESTANDARDTIME',
};

export function getOrganisation({ organisation, now }: ApiRequest): Answer {
  const { name, tenantId, baseCurrency, countryCode, books } = organisation;
  const item = {
    APIKey: `SANDBOX${mixText(tenantId).toString(36).toUpperCase()}`,
    Name: name,
    LegalName: name,
    PaysTax: true,
    Version: countryCode === 'GB' ? 'UK' : countryCode === 'NZ' || countryCode === 'AU' ? countryCode : 'GLOBAL',
    OrganisationType: 'COMPANY',
    BaseCurrency: baseCurrency,
    CountryCode: countryCode,
    IsDemoCompany: false,
    OrganisationStatus: 'ACTIVE',
    FinancialYearEndDay: books.yearEnd.day,
    FinancialYearEndMonth: books.yearEnd.month,
    SalesTaxBasis: 'PAYMENTS',
    SalesTaxPeriod: 'TWOMONTHS',
    DefaultSalesTax: 'Tax Exclusive',
    DefaultPurchasesTax: 'Tax Exclusive',
    CreatedDateUTC: dateMark(books.began),
    OrganisationEntityType: 'COMPANY',
    Timezone: ZONES[countryCode] ?? 'UTC',
    ShortCode: `!${mixText(tenantId, 7).toString(36).slice(0, 5)}`,
    OrganisationID: tenantId,
    Edition: 'BUSINESS',
    Class: 'PREMIUM',
    Addresses: [],
    Phones: [],
    ExternalLinks: [],
    PaymentTerms: {},
  };
  return answerItems('Organisations', [item], now);
}

function accountItem(account: Account, updated: number, baseCurrency: string): object {
  const bank = account.type === 'BANK';
  return {
    AccountID: account.id,
    ...(account.code === undefined ? {} : { Code: account.code }),
    Name: account.name,
    Status: account.status,
    Type: account.type,
    TaxType: account.taxType,
    ...(bank
      ? { BankAccountNumber: account.bankNumber, BankAccountType: 'BANK', CurrencyCode: baseCurrency }
      : { Description: '' }),
    Class: account.class,
    // Non-system accounts have "" here or nothing at all (xero_accounting.yaml, Account.SystemAccount).
    ...(account.system !== undefined ? { SystemAccount: account.system } : bank ? { SystemAccount: '' } : {}),
    EnablePaymentsToAccount: false,
    ShowInExpenseClaims: false,
    ReportingCode: account.class.slice(0, 3),
    ReportingCodeName: account.class,
    HasAttachments: false,
    UpdatedDateUTC: dateMark(updated),
  };
}

/** `GET /Accounts`, unpaged, archived ones included. */
export function getAccounts({ exchange, organisation, now }: ApiRequest): Answer {
  const since = ifModifiedSince(exchange);
  if (typeof since === 'object') return since;
  const items = organisation.books.reference
    .accounts()
    .filter(({ updated }) => since === undefined || updated >= since)
    .map(({ account, updated }) => accountItem(account, updated, organisation.baseCurrency));
  const sorted = ordered(items, exchange);
  return Array.isArray(sorted) ? answerItems('Accounts', sorted, now) : sorted;
}

function categoryItem(category: TrackingCategory, archived: boolean): object {
  return {
    Name: category.name,
    Status: category.status,
    TrackingCategoryID: category.id,
    Options: category.options
      .filter((option) => archived || option.status === 'ACTIVE')
      .map((option) => ({ TrackingOptionID: option.id, Name: option.name, Status: option.status })),
  };
}

/** `GET /TrackingCategories`: archived categories and options only with includeArchived=true. */
export function getTrackingCategories({ exchange, organisation, now }: ApiRequest): Answer {
  const archived = isTrue(exchange.query.get('includeArchived'));
  const items = organisation.books.reference
    .categories()
    .filter((category) => archived || category.status === 'ACTIVE')
    .map((category) => categoryItem(category, archived));
  const sorted = ordered(items, exchange);
  return Array.isArray(sorted) ? answerItems('TrackingCategories', sorted, now) : sorted;
}
