import type pg from 'pg';
import { type InvoicePlace, isReadAgain, watermarkAfter } from '../model/invoice-cursor.ts';
import { isAboutData, reasonOf } from './data-errors.ts';
import { rowsOf } from './exact-json.ts';
import { type Counts, storeInHalves, type Unstorable } from './halves.ts';
import { clearInvoiceParts, invoiceColumns, putInvoiceParts } from './invoice-rows.ts';
import { inTransaction, type Queryable } from './pool.ts';
import { quarantine } from './quarantine.ts';

/** One page of invoices as Xero sent it, and where it lies. */
export interface InvoicePage {
  runId: string;
  tenantId: string;
  place: InvoicePlace;
  next: InvoicePlace;
  /** Xero's answer, untouched, in UTF-8: Postgres parses it, so that no amount passes through a JavaScript double. */
  body: Buffer;
  count: number;
  /** When it was asked for: only an answer asked for later than a copy was stored may replace it at the same UpdatedDateUTC. */
  askedAt: Date;
}

const here = `
  select coalesce((select p.watermark from daybook.stream_position p
                    where p.tenant_id = r.tenant_id and p.stream = r.stream), 0) as watermark
    from daybook.import_run r
   where run_id = $1 and next_offset = $2 and next_page = $3 and closing_pages = $4 and ended_at is null for update`;

const names = Object.keys(invoiceColumns).join(', ');
const values = Object.values(invoiceColumns).join(', ');

/**
 * An older copy never overwrites a newer. Some edits do not move UpdatedDateUTC, so at the same instant the payload decides;
 * a date ahead of the clock does not tell which is newer, so there the later answer counts. What is stored is not stale any more,
 * nor is what is there already where a later answer brings it again.
 * What pages bring again, as they overlap each other, and a run the one before, is not counted.
 * $1 run, $2 tenant, $3 an answer with invoices, $4 asked at, $5 the second up to which unchanged ones have been counted.
 */
const putInvoices = `
  with element as (
    select j from jsonb_array_elements($3::text::jsonb -> 'Invoices') as e (j)
  ), admitted as (
    select distinct on ((j->>'InvoiceID')::uuid) (j->>'InvoiceID')::uuid as invoice_id,
           daybook.xero_instant(j->>'UpdatedDateUTC') as updated, j
      from element, daybook.import_run r
     where r.run_id = $1
       and (r.modified_since is null or coalesce(daybook.xero_instant(j->>'UpdatedDateUTC') >= r.modified_since, true))
     order by 1, 2 desc
  ), put as (
    insert into xero.invoice as i (tenant_id, invoice_id, ${names}, updated_date_utc, payload, run_id)
    select $2::uuid, invoice_id, ${values}, updated, j, $1::uuid from admitted
    on conflict (tenant_id, invoice_id) do update set
      (${names}, updated_date_utc, payload, run_id, stored_at, stale_since) =
      (${Object.keys(invoiceColumns).map((name) => `excluded.${name}`)}, excluded.updated_date_utc, excluded.payload,
       excluded.run_id, now(), null)
      where excluded.updated_date_utc > i.updated_date_utc
         or (excluded.updated_date_utc = i.updated_date_utc and excluded.payload <> i.payload
             and (i.stored_at < $4 or exists (select from daybook.import_run where run_id = $1 and request @> '{"full": true}')))
         or (i.updated_date_utc > $4 and i.stored_at < $4 and excluded.payload <> i.payload)
         or (i.stale_since < $4 and excluded.updated_date_utc = i.updated_date_utc)
    returning invoice_id
  )
  select coalesce((select array_agg(invoice_id::text) from put), '{}') as changed,
         (select count(*) from admitted a
           where (extract(epoch from updated) >= $5::bigint + 1
                  and exists (select from daybook.import_run where run_id = $1 and (not moves_watermark or request @> '{"full": true}')))
              or exists (select from put where put.invoice_id = a.invoice_id))::int as admitted`;

/** $1 tenant, $2 an invoice whose copy could not be stored, $3 its UpdatedDateUTC in milliseconds since 1970, null where it tells none. */
const markStale = `
  update xero.invoice set stale_since = coalesce(stale_since, now())
   where tenant_id = $1 and invoice_id = $2
     and coalesce(updated_date_utc <= timestamptz '1970-01-01 00:00:00+00' + $3::bigint * interval '1 millisecond', true)`;

const record = `
  with receipt as (
    insert into daybook.page_receipt as p (run_id, after_number, through_number, page, journals, stored, quarantined)
    values ($1, $2, greatest($2::bigint, $3::bigint), $4, $5, $6::int, $8::int)
    on conflict (run_id, after_number, page) do update
       set through_number = excluded.through_number, journals = excluded.journals, stored = p.stored + excluded.stored,
           quarantined = excluded.quarantined, stored_at = now()
  ), watermark as (
    insert into daybook.stream_position (tenant_id, stream, watermark)
    select tenant_id, stream, $12::bigint from daybook.import_run r
     where run_id = $1 and moves_watermark
       and ($12 > 0 or exists (select from daybook.stream_position p where p.tenant_id = r.tenant_id and p.stream = r.stream))
    on conflict (tenant_id, stream) do update set watermark = excluded.watermark, updated_at = now()
  )
  update daybook.import_run
     set next_offset = $3, next_page = $9, beyond_second = $10, closing_pages = $11, pages = pages + 1, stored = stored + $6::int,
         admitted = admitted + $7::int, quarantined = quarantined + $8::int, waiting_until = null,
         status = case status when 'stopping' then status else 'running' end
   where run_id = $1`;

/**
 * Stores a page: its invoices with their parts, its receipt and the run's place in one commit. What Postgres cannot take goes
 * to quarantine, word for word, with the reason. False when the run does not stand where this page lies. `onBegun` hears that
 * Postgres is at it: what is asked for from then on was asked for later than these copies were stored.
 */
export function storeInvoicePage(pool: pg.Pool, page: InvoicePage, onBegun = () => {}): Promise<boolean> {
  const { runId, place, next } = page;
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ watermark: number }>(here, [runId, place.second, place.page, place.closing]);
    const stands = rows[0];
    if (!stands) return false;
    // They are dated by the begin of the transaction.
    onBegun();
    const whole = await attempt(client, page, page.body);
    const counts = 'refused' in whole ? await inPieces(client, page) : whole;
    const numbers = [place.second, next.second, place.page, page.count, counts.stored, counts.admitted];
    const watermark = watermarkAfter(stands.watermark, place, next, page.askedAt);
    const after = [next.page, next.beyond, next.closing, watermark];
    await client.query(record, [runId, ...numbers, counts.quarantined, ...after]);
    return true;
  });
}

/** The second since 1970 with which a run began; null when it has stored no page. */
export async function firstSecondOf(db: Queryable, runId: string): Promise<number | null> {
  const { rows } = await db.query<{ second: number | null }>(
    'select min(after_number) as second from daybook.page_receipt where run_id = $1',
    [runId],
  );
  return rows[0]?.second ?? null;
}

/** Puts the invoices of an answer, or nothing of them and says why they cannot be stored. */
async function attempt(client: Queryable, page: InvoicePage, answer: Buffer | string): Promise<Counts | Unstorable> {
  await client.query('savepoint invoices');
  try {
    const countsBeyond = isReadAgain(page.place) ? Number.MAX_SAFE_INTEGER : page.place.second;
    const values = [page.runId, page.tenantId, answer, page.askedAt, countsBeyond];
    const { rows } = await client.query<{ changed: string[]; admitted: number }>(putInvoices, values);
    const { changed = [], admitted = 0 } = rows[0] ?? {};
    await client.query(clearInvoiceParts, [page.tenantId, changed]);
    await client.query(putInvoiceParts, [page.tenantId, changed]);
    await client.query('release savepoint invoices');
    return { stored: changed.length, admitted, quarantined: 0 };
  } catch (error) {
    if (!isAboutData(error)) throw error;
    await client.query('rollback to savepoint invoices');
    return { refused: reasonOf(error) };
  }
}

function inPieces(client: Queryable, page: InvoicePage): Promise<Counts> {
  return storeInHalves(
    rowsOf(page.body.toString(), 'Invoices'),
    (invoices) => attempt(client, page, `{"Invoices":[${invoices}]}`),
    async (invoice, reason) => {
      const { invoiceId, updated } = namesOf(invoice);
      if (isUuid.test(invoiceId ?? '')) await client.query(markStale, [page.tenantId, invoiceId, updated]);
      // Pages overlap: one that this run has met before is not counted again.
      return quarantine(client, { ...page, stream: 'invoices' }, invoice, { invoiceId }, reason);
    },
  );
}

const isUuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** What an invoice that cannot be stored calls itself, and when it was changed as far as that is a number; its amounts are not read. */
function namesOf(invoice: string): { invoiceId: string | null; updated: string | null } {
  const { InvoiceID: id, UpdatedDateUTC: updated } = (JSON.parse(invoice) ?? {}) as Record<string, unknown>;
  return {
    invoiceId: typeof id === 'string' ? id : null,
    updated: /^\/Date\((-?\d{1,15})/.exec(String(updated))?.[1] ?? null,
  };
}
