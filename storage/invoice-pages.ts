import { parse, stringify } from 'lossless-json';
import type pg from 'pg';
import type { InvoicePlace } from '../model/invoice-cursor.ts';
import { isAboutData } from './data-errors.ts';
import { inTransaction, type Queryable } from './pool.ts';

/** One page of invoices as Xero sent it, and where it lies. */
export interface InvoicePage {
  runId: string;
  tenantId: string;
  place: InvoicePlace;
  next: InvoicePlace;
  /** Xero's answer, untouched: Postgres parses it, so that no amount passes through a JavaScript double. */
  text: string;
  count: number;
  /** When it was asked for: only an answer asked for later than a copy was stored may replace it at the same UpdatedDateUTC. */
  askedAt: Date;
}

const here = `
  select run_id from daybook.import_run
   where run_id = $1 and next_offset = $2 and next_page = $3 and ended_at is null for update`;

/**
 * An older copy never overwrites a newer. Some edits do not move UpdatedDateUTC, so at the same instant the payload decides.
 * What pages bring again, as they overlap, is not counted.
 * $1 run, $2 tenant, $3 invoices as jsonb, $4 asked at, $5 last second seen.
 */
const putInvoices = `
  with element as (
    select j from jsonb_array_elements($3::jsonb) as e (j)
  ), admitted as (
    select distinct on ((j->>'InvoiceID')::uuid) (j->>'InvoiceID')::uuid as invoice_id,
           daybook.xero_instant(j->>'UpdatedDateUTC') as updated, j
      from element, daybook.import_run r
     where r.run_id = $1
       and (r.modified_since is null or coalesce(daybook.xero_instant(j->>'UpdatedDateUTC') >= r.modified_since, true))
     order by 1, 2 desc
  ), put as (
    insert into xero.invoice as i (
      tenant_id, invoice_id, type, status, invoice_number, reference, contact_id, contact_name, date, due_date,
      expected_payment_date, planned_payment_date, fully_paid_on_date, line_amount_types, sub_total, total_tax, total,
      total_discount, amount_due, amount_paid, amount_credited, cisdeduction, currency_code, currency_rate,
      branding_theme_id, repeating_invoice_id, url, sent_to_contact, has_attachments, has_errors, is_discounted,
      updated_date_utc, payload, run_id)
    select $2::uuid, invoice_id, j->>'Type', j->>'Status', j->>'InvoiceNumber', j->>'Reference',
           (j#>>'{Contact,ContactID}')::uuid, j#>>'{Contact,Name}', daybook.xero_date(j->>'Date'),
           daybook.xero_date(j->>'DueDate'), daybook.xero_date(j->>'ExpectedPaymentDate'),
           daybook.xero_date(j->>'PlannedPaymentDate'), daybook.xero_date(j->>'FullyPaidOnDate'), j->>'LineAmountTypes',
           (j->>'SubTotal')::numeric, (j->>'TotalTax')::numeric, (j->>'Total')::numeric, (j->>'TotalDiscount')::numeric,
           (j->>'AmountDue')::numeric, (j->>'AmountPaid')::numeric, (j->>'AmountCredited')::numeric,
           (j->>'CISDeduction')::numeric, j->>'CurrencyCode', (j->>'CurrencyRate')::numeric,
           (j->>'BrandingThemeID')::uuid, (j->>'RepeatingInvoiceID')::uuid, j->>'Url', (j->>'SentToContact')::boolean,
           (j->>'HasAttachments')::boolean, (j->>'HasErrors')::boolean, (j->>'IsDiscounted')::boolean, updated, j, $1::uuid
      from admitted
    on conflict (tenant_id, invoice_id) do update set
      (type, status, invoice_number, reference, contact_id, contact_name, date, due_date, expected_payment_date,
       planned_payment_date, fully_paid_on_date, line_amount_types, sub_total, total_tax, total, total_discount, amount_due,
       amount_paid, amount_credited, cisdeduction, currency_code, currency_rate, branding_theme_id, repeating_invoice_id, url,
       sent_to_contact, has_attachments, has_errors, is_discounted, updated_date_utc, payload, run_id, stored_at) =
      (excluded.type, excluded.status, excluded.invoice_number, excluded.reference, excluded.contact_id,
       excluded.contact_name, excluded.date, excluded.due_date, excluded.expected_payment_date,
       excluded.planned_payment_date, excluded.fully_paid_on_date, excluded.line_amount_types, excluded.sub_total,
       excluded.total_tax, excluded.total, excluded.total_discount, excluded.amount_due, excluded.amount_paid,
       excluded.amount_credited, excluded.cisdeduction, excluded.currency_code, excluded.currency_rate,
       excluded.branding_theme_id, excluded.repeating_invoice_id, excluded.url, excluded.sent_to_contact,
       excluded.has_attachments, excluded.has_errors, excluded.is_discounted, excluded.updated_date_utc, excluded.payload,
       excluded.run_id, now())
      where excluded.updated_date_utc > i.updated_date_utc
         or (excluded.updated_date_utc = i.updated_date_utc and excluded.payload <> i.payload
             and (i.stored_at < $4 or exists (select from daybook.import_run where run_id = $1 and request @> '{"full": true}')))
    returning invoice_id
  )
  select coalesce((select array_agg(invoice_id::text) from put), '{}') as changed,
         (select count(*) from admitted a
           where extract(epoch from updated) >= $5::bigint + 1 or exists (select from put where put.invoice_id = a.invoice_id))::int as admitted`;

const clearParts = `
  with lines as (delete from xero.invoice_line_item where tenant_id = $1 and invoice_id = any($2::uuid[])),
  tracking as (delete from xero.invoice_line_item_tracking where tenant_id = $1 and invoice_id = any($2::uuid[]))
  delete from xero.invoice_settlement where tenant_id = $1 and invoice_id = any($2::uuid[])`;

/** Lines, tracking and settlements, from the payload just stored. */
const putParts = `
  with line as (
    select i.invoice_id, l.line_index, l.line from xero.invoice i,
           jsonb_array_elements(coalesce(nullif(i.payload->'LineItems', 'null'), '[]')) with ordinality as l (line, line_index)
     where i.tenant_id = $1 and i.invoice_id = any($2::uuid[])
  ), lines as (
    insert into xero.invoice_line_item (tenant_id, invoice_id, line_index, line_item_id, description, quantity, unit_amount,
                                        line_amount, tax_amount, tax_type, item_code, item_id, account_code, account_id,
                                        discount_rate, discount_amount)
    select $1, invoice_id, line_index, (line->>'LineItemID')::uuid, line->>'Description', (line->>'Quantity')::numeric,
           (line->>'UnitAmount')::numeric, (line->>'LineAmount')::numeric, (line->>'TaxAmount')::numeric, line->>'TaxType',
           line->>'ItemCode', (line#>>'{Item,ItemID}')::uuid, line->>'AccountCode',
           coalesce(line->>'AccountID', line->>'AccountId')::uuid, (line->>'DiscountRate')::numeric,
           (line->>'DiscountAmount')::numeric
      from line
  ), tracking as (
    insert into xero.invoice_line_item_tracking (tenant_id, invoice_id, line_index, tracking_index, tracking_category_id,
                                                 tracking_option_id, name, option)
    select $1, invoice_id, line_index, t.tracking_index, (t.tracking->>'TrackingCategoryID')::uuid,
           (t.tracking->>'TrackingOptionID')::uuid, t.tracking->>'Name', t.tracking->>'Option'
      from line, jsonb_array_elements(coalesce(nullif(line->'Tracking', 'null'), '[]'))
                   with ordinality as t (tracking, tracking_index)
  )
  insert into xero.invoice_settlement (tenant_id, invoice_id, kind, settlement_index, settlement_id, date, amount,
                                       currency_rate, reference)
  select $1, i.invoice_id, k.kind, s.settlement_index, (s.settlement->>k.id)::uuid, daybook.xero_date(s.settlement->>'Date'),
         coalesce(s.settlement->>'Amount', s.settlement->>'AppliedAmount')::numeric,
         (s.settlement->>'CurrencyRate')::numeric, s.settlement->>'Reference'
    from xero.invoice i,
         (values ('payment', 'Payments', 'PaymentID'), ('creditNote', 'CreditNotes', 'CreditNoteID'),
                 ('prepayment', 'Prepayments', 'PrepaymentID'), ('overpayment', 'Overpayments', 'OverpaymentID'))
           as k (kind, list, id),
         jsonb_array_elements(coalesce(nullif(i.payload->k.list, 'null'), '[]')) with ordinality as s (settlement, settlement_index)
   where i.tenant_id = $1 and i.invoice_id = any($2::uuid[])`;

const record = `
  with receipt as (
    insert into daybook.page_receipt as p (run_id, after_number, through_number, page, journals, stored, quarantined)
    values ($1, $2, $3, $4, $5, $6::int, $8::int)
    on conflict (run_id, after_number, page) do update
       set through_number = excluded.through_number, journals = excluded.journals, stored = p.stored + excluded.stored,
           quarantined = excluded.quarantined, stored_at = now()
  ), watermark as (
    insert into daybook.stream_position as p (tenant_id, stream, watermark)
    select tenant_id, stream, $3 from daybook.import_run where run_id = $1 and moves_watermark and $3::bigint > 0
    on conflict (tenant_id, stream) do update
       set watermark = greatest(p.watermark, excluded.watermark), updated_at = now()
  )
  update daybook.import_run
     set next_offset = $3, next_page = $9, beyond_second = $10, closing_pages = $11, pages = pages + 1, stored = stored + $6::int,
         admitted = admitted + $7::int, quarantined = quarantined + $8::int, waiting_until = null,
         status = case status when 'stopping' then status else 'running' end
   where run_id = $1`;

interface Counts {
  stored: number;
  admitted: number;
  quarantined: number;
}

/**
 * Stores a page: its invoices with their parts, its receipt and the run's place in one commit. What Postgres cannot take goes
 * to quarantine, word for word, with the reason. False when the run does not stand where this page lies.
 */
export function storeInvoicePage(pool: pg.Pool, page: InvoicePage): Promise<boolean> {
  const { runId, place, next } = page;
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(here, [runId, place.second, place.page]);
    if (rowCount === 0) return false;
    const invoices = (parse(page.text) as { Invoices: unknown[] }).Invoices.map((each) => stringify(each) ?? 'null');
    const whole = await attempt(client, page, `[${invoices.join(',')}]`);
    const counts = 'reason' in whole ? await onePerOne(client, page, invoices) : whole;
    const numbers = [place.second, next.second, place.page, page.count, counts.stored, counts.admitted];
    await client.query(record, [runId, ...numbers, counts.quarantined, next.page, next.beyond, next.closing]);
    return true;
  });
}

/** Puts invoices, or nothing of them and says why they cannot be stored. */
async function attempt(client: Queryable, page: InvoicePage, json: string): Promise<Counts | { reason: string }> {
  await client.query('savepoint invoices');
  try {
    const values = [page.runId, page.tenantId, json, page.askedAt, page.place.second];
    const { rows } = await client.query<{ changed: string[]; admitted: number }>(putInvoices, values);
    const { changed = [], admitted = 0 } = rows[0] ?? {};
    await client.query(clearParts, [page.tenantId, changed]);
    await client.query(putParts, [page.tenantId, changed]);
    await client.query('release savepoint invoices');
    return { stored: changed.length, admitted, quarantined: 0 };
  } catch (error) {
    if (!isAboutData(error)) throw error;
    await client.query('rollback to savepoint invoices');
    return { reason: `${error.message} (SQLSTATE ${error.code})` };
  }
}

async function onePerOne(client: Queryable, page: InvoicePage, invoices: string[]): Promise<Counts> {
  const counts = { stored: 0, admitted: 0, quarantined: 0 };
  for (const invoice of invoices) {
    const one = await attempt(client, page, `[${invoice}]`);
    if ('reason' in one) {
      // Pages overlap: one that this run has met before is not counted again.
      const { rowCount } = await client.query(
        `insert into daybook.quarantine (tenant_id, stream, run_id, invoice_id, reason, payload)
         values ($1, 'invoices', $2, $3, $4, $5)
         on conflict (tenant_id, stream, md5(payload)) do update
            set run_id = excluded.run_id, reason = excluded.reason, quarantined_at = now()
          where quarantine.run_id <> excluded.run_id`,
        [page.tenantId, page.runId, /"InvoiceID"\s*:\s*"([^"]*)"/.exec(invoice)?.[1] ?? null, one.reason, invoice],
      );
      counts.quarantined += rowCount ?? 0;
      counts.admitted += rowCount ?? 0;
      continue;
    }
    counts.stored += one.stored;
    counts.admitted += one.admitted;
  }
  return counts;
}
