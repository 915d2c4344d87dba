/**
 * The columns of an invoice, beside its keys and UpdatedDateUTC, each from its payload `j`: for a page and for the rebuild. An empty
 * text is taken for none where a column is no text.
 */
export const invoiceColumns = {
  type: `j->>'Type'`,
  status: `j->>'Status'`,
  invoice_number: `j->>'InvoiceNumber'`,
  reference: `j->>'Reference'`,
  contact_id: `nullif(j#>>'{Contact,ContactID}', '')::uuid`,
  contact_name: `j#>>'{Contact,Name}'`,
  date: `daybook.xero_date(nullif(j->>'Date', ''))`,
  due_date: `daybook.xero_date(nullif(j->>'DueDate', ''))`,
  expected_payment_date: `daybook.xero_date(nullif(j->>'ExpectedPaymentDate', ''))`,
  planned_payment_date: `daybook.xero_date(nullif(j->>'PlannedPaymentDate', ''))`,
  fully_paid_on_date: `daybook.xero_date(nullif(j->>'FullyPaidOnDate', ''))`,
  line_amount_types: `j->>'LineAmountTypes'`,
  sub_total: `nullif(j->>'SubTotal', '')::numeric`,
  total_tax: `nullif(j->>'TotalTax', '')::numeric`,
  total: `nullif(j->>'Total', '')::numeric`,
  total_discount: `nullif(j->>'TotalDiscount', '')::numeric`,
  amount_due: `nullif(j->>'AmountDue', '')::numeric`,
  amount_paid: `nullif(j->>'AmountPaid', '')::numeric`,
  amount_credited: `nullif(j->>'AmountCredited', '')::numeric`,
  cisdeduction: `nullif(j->>'CISDeduction', '')::numeric`,
  currency_code: `j->>'CurrencyCode'`,
  currency_rate: `nullif(j->>'CurrencyRate', '')::numeric`,
  branding_theme_id: `nullif(j->>'BrandingThemeID', '')::uuid`,
  repeating_invoice_id: `nullif(j->>'RepeatingInvoiceID', '')::uuid`,
  url: `j->>'Url'`,
  sent_to_contact: `nullif(j->>'SentToContact', '')::boolean`,
  has_attachments: `nullif(j->>'HasAttachments', '')::boolean`,
  has_errors: `nullif(j->>'HasErrors', '')::boolean`,
  is_discounted: `nullif(j->>'IsDiscounted', '')::boolean`,
};

/** $1 tenant, $2 ids. */
export const clearInvoiceParts = `
  with lines as (delete from xero.invoice_line_item where tenant_id = $1 and invoice_id = any($2::uuid[])),
  tracking as (delete from xero.invoice_line_item_tracking where tenant_id = $1 and invoice_id = any($2::uuid[]))
  delete from xero.invoice_settlement where tenant_id = $1 and invoice_id = any($2::uuid[])`;

/** Lines, tracking and settlements, from the payload just stored: unpacked once for all of them, as Postgres keeps it compressed. */
export const putInvoiceParts = `
  with part as materialized (
    select i.invoice_id, p.* from xero.invoice i,
           jsonb_to_record(i.payload) as p ("LineItems" jsonb, "Payments" jsonb, "CreditNotes" jsonb, "Prepayments" jsonb, "Overpayments" jsonb)
     where i.tenant_id = $1 and i.invoice_id = any($2::uuid[])
  ), line as (
    select invoice_id, l.line_index, l.line from part,
           jsonb_array_elements(coalesce(nullif("LineItems", 'null'), '[]')) with ordinality as l (line, line_index)
  ), lines as (
    insert into xero.invoice_line_item (tenant_id, invoice_id, line_index, line_item_id, description, quantity, unit_amount,
                                        line_amount, tax_amount, tax_type, item_code, item_id, account_code, account_id,
                                        discount_rate, discount_amount)
    select $1, invoice_id, line_index, nullif(line->>'LineItemID', '')::uuid, line->>'Description',
           nullif(line->>'Quantity', '')::numeric, nullif(line->>'UnitAmount', '')::numeric,
           nullif(line->>'LineAmount', '')::numeric, nullif(line->>'TaxAmount', '')::numeric, line->>'TaxType',
           line->>'ItemCode', nullif(line#>>'{Item,ItemID}', '')::uuid, line->>'AccountCode',
           coalesce(nullif(line->>'AccountID', ''), nullif(line->>'AccountId', ''))::uuid,
           nullif(line->>'DiscountRate', '')::numeric, nullif(line->>'DiscountAmount', '')::numeric
      from line
  ), tracking as (
    insert into xero.invoice_line_item_tracking (tenant_id, invoice_id, line_index, tracking_index, tracking_category_id,
                                                 tracking_option_id, name, option)
    select $1, invoice_id, line_index, t.tracking_index, nullif(t.tracking->>'TrackingCategoryID', '')::uuid,
           nullif(t.tracking->>'TrackingOptionID', '')::uuid, t.tracking->>'Name', t.tracking->>'Option'
      from line, jsonb_array_elements(nullif(line->'Tracking', 'null')) with ordinality as t (tracking, tracking_index)
     where line->'Tracking' <> '[]'
  )
  insert into xero.invoice_settlement (tenant_id, invoice_id, kind, settlement_index, settlement_id, date, amount,
                                       currency_rate, reference, number, total, remaining_credit, status)
  select $1, invoice_id, k.kind, s.settlement_index, nullif(s.settlement->>k.id, '')::uuid,
         daybook.xero_date(nullif(s.settlement->>'Date', '')),
         coalesce(nullif(s.settlement->>'Amount', ''), nullif(s.settlement->>'AppliedAmount', ''))::numeric,
         nullif(s.settlement->>'CurrencyRate', '')::numeric, s.settlement->>'Reference',
         coalesce(nullif(s.settlement->>'CreditNoteNumber', ''), nullif(s.settlement->>'InvoiceNumber', '')),
         nullif(s.settlement->>'Total', '')::numeric, nullif(s.settlement->>'RemainingCredit', '')::numeric,
         nullif(s.settlement->>'Status', '')
    from part,
         lateral (values ('payment', "Payments", 'PaymentID'), ('creditNote', "CreditNotes", 'CreditNoteID'),
                         ('prepayment', "Prepayments", 'PrepaymentID'), ('overpayment', "Overpayments", 'OverpaymentID'))
           as k (kind, list, id),
         jsonb_array_elements(nullif(k.list, 'null')) with ordinality as s (settlement, settlement_index)
   where k.list <> '[]'`;
