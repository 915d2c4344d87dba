-- Up Migration

-- What is imported beside journals. Column names are those of the field (Fivetran's Xero schema) where it has one.

create table xero.organisation (
  tenant_id uuid primary key,
  organisation_id uuid not null,
  name text not null,
  legal_name text,
  short_code text,
  base_currency text,
  country_code text,
  timezone text,
  financial_year_end_day int,
  financial_year_end_month int,
  period_lock_date date,
  end_of_year_lock_date date,
  sales_tax_basis text,
  organisation_type text,
  organisation_status text,
  version text,
  class text,
  edition text,
  is_demo_company boolean,
  created_date_utc timestamptz,
  payload jsonb not null,
  run_id uuid not null,
  stored_at timestamptz not null default now()
);
comment on table xero.organisation is 'The organisation as it was at the last import.';

create table xero.account (
  tenant_id uuid not null,
  account_id uuid not null,
  code text,
  name text,
  type text,
  class text,
  status text,
  description text,
  system_account text,
  tax_type text,
  currency_code text,
  reporting_code text,
  reporting_code_name text,
  enable_payments_to_account boolean,
  show_in_expense_claims boolean,
  bank_account_number text,
  bank_account_type text,
  has_attachments boolean,
  updated_date_utc timestamptz,
  payload jsonb not null,
  run_id uuid not null,
  stored_at timestamptz not null default now(),
  primary key (tenant_id, account_id)
);
comment on table xero.account is 'The chart of accounts, archived ones too. One that Xero does not send any more stays.';

create table xero.account_history (
  tenant_id uuid not null,
  account_id uuid not null,
  -- When an import first saw it so; the first row of an account holds for all time before, too.
  seen_at timestamptz not null,
  code text,
  name text,
  type text,
  class text,
  status text,
  run_id uuid not null,
  primary key (tenant_id, account_id, seen_at)
);
comment on table xero.account_history is 'One row for each time an account''s code, name, type, class or status was found changed.';

create table xero.contact (
  tenant_id uuid not null,
  contact_id uuid not null,
  name text,
  contact_number text,
  account_number text,
  contact_status text,
  email_address text,
  first_name text,
  last_name text,
  tax_number text,
  default_currency text,
  is_customer boolean,
  is_supplier boolean,
  merged_to_contact_id uuid,
  updated_date_utc timestamptz,
  payload jsonb not null,
  run_id uuid not null,
  stored_at timestamptz not null default now(),
  primary key (tenant_id, contact_id)
);

create table xero.tracking_category (
  tenant_id uuid not null,
  tracking_category_id uuid not null,
  name text,
  status text,
  payload jsonb not null,
  run_id uuid not null,
  stored_at timestamptz not null default now(),
  primary key (tenant_id, tracking_category_id)
);

create table xero.tracking_category_option (
  tenant_id uuid not null,
  tracking_category_id uuid not null,
  tracking_option_id uuid not null,
  name text,
  status text,
  is_active boolean,
  is_archived boolean,
  is_deleted boolean,
  has_validation_errors boolean,
  primary key (tenant_id, tracking_category_id, tracking_option_id)
);

create table xero.invoice (
  tenant_id uuid not null,
  invoice_id uuid not null,
  type text not null,
  status text not null,
  invoice_number text,
  reference text,
  contact_id uuid,
  contact_name text,
  date date,
  due_date date,
  expected_payment_date date,
  planned_payment_date date,
  fully_paid_on_date date,
  line_amount_types text,
  sub_total numeric,
  total_tax numeric,
  total numeric,
  total_discount numeric,
  amount_due numeric,
  amount_paid numeric,
  amount_credited numeric,
  cisdeduction numeric,
  currency_code text,
  currency_rate numeric,
  branding_theme_id uuid,
  repeating_invoice_id uuid,
  url text,
  sent_to_contact boolean,
  has_attachments boolean,
  has_errors boolean,
  is_discounted boolean,
  updated_date_utc timestamptz not null,
  payload jsonb not null,
  run_id uuid not null,
  stored_at timestamptz not null default now(),
  primary key (tenant_id, invoice_id)
);
comment on table xero.invoice is
  'Sales invoices (ACCREC) and bills (ACCPAY) in the currency of the document, at their newest state; voided and deleted ones too.';
create index invoice_by_update on xero.invoice (tenant_id, updated_date_utc);

create table xero.invoice_line_item (
  tenant_id uuid not null,
  invoice_id uuid not null,
  line_index int not null,
  line_item_id uuid,
  description text,
  quantity numeric,
  unit_amount numeric,
  line_amount numeric,
  tax_amount numeric,
  tax_type text,
  item_code text,
  item_id uuid,
  account_code text,
  account_id uuid,
  discount_rate numeric,
  discount_amount numeric,
  primary key (tenant_id, invoice_id, line_index)
);
comment on table xero.invoice_line_item is
  'Lines of an invoice, replaced as a set with it: Xero gives edited lines new ids.';

create table xero.invoice_line_item_tracking (
  tenant_id uuid not null,
  invoice_id uuid not null,
  line_index int not null,
  tracking_index int not null,
  tracking_category_id uuid,
  tracking_option_id uuid,
  name text,
  option text,
  primary key (tenant_id, invoice_id, line_index, tracking_index)
);

create table xero.invoice_settlement (
  tenant_id uuid not null,
  invoice_id uuid not null,
  kind text not null check (kind in ('payment', 'creditNote', 'prepayment', 'overpayment')),
  settlement_index int not null,
  settlement_id uuid,
  date date,
  amount numeric,
  currency_rate numeric,
  reference text,
  primary key (tenant_id, invoice_id, kind, settlement_index)
);
comment on table xero.invoice_settlement is
  'What settles an invoice, as its own payload names it: payments, credit notes, prepayments and overpayments.';

-- What the admin did.
create table daybook.audit (
  audit_id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  -- Who: the operating system's user on the command line, the session on the connect page.
  actor text not null,
  act text not null,
  -- On what: the name of a connection or an application.
  subject text not null,
  before jsonb,
  after jsonb
);
comment on table daybook.audit is 'Acts of the admin, with what was before and after; never a secret.';
