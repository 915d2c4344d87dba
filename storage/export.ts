import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Basis } from '../model/request.ts';

/** `text` is guarded, an `instant` is written in UTC and a `flag` as true or false; a `value` is written as it is stored. */
type Columns = Record<string, 'text' | 'value' | 'instant' | 'flag'>;

/** The header of each export, in its order; docs/tables.md promises it, so a new column goes to the end. */
export const exportColumns = {
  'general-ledger': {
    line_key: 'value',
    tenant_id: 'value',
    basis: 'value',
    journal_id: 'value',
    journal_number: 'value',
    line_index: 'value',
    journal_line_id: 'value',
    journal_date: 'value',
    created_date_utc: 'instant',
    reference: 'text',
    source_type: 'text',
    source_id: 'value',
    account_id: 'value',
    account_code: 'text',
    account_name: 'text',
    account_class: 'text',
    account_type: 'text',
    description: 'text',
    net_amount: 'value',
    gross_amount: 'value',
    tax_amount: 'value',
    tax_type: 'text',
    tax_name: 'text',
    contact_id: 'value',
    contact_name: 'text',
    invoice_id: 'value',
    invoice_number: 'text',
    due_date: 'value',
    tracking_category_1: 'text',
    tracking_option_1: 'text',
    tracking_category_2: 'text',
    tracking_option_2: 'text',
    reversal_of_journal_id: 'value',
    reversed_by_journal_id: 'value',
    reversed_at: 'instant',
    stands: 'flag',
    base_currency: 'text',
  },
  invoices: {
    line_key: 'value',
    tenant_id: 'value',
    invoice_id: 'value',
    line_index: 'value',
    line_item_id: 'value',
    type: 'text',
    status: 'text',
    invoice_number: 'text',
    reference: 'text',
    contact_id: 'value',
    contact_name: 'text',
    date: 'value',
    due_date: 'value',
    fully_paid_on_date: 'value',
    updated_date_utc: 'instant',
    currency_code: 'text',
    currency_rate: 'value',
    invoice_sub_total: 'value',
    invoice_total_tax: 'value',
    invoice_total: 'value',
    invoice_amount_due: 'value',
    invoice_amount_paid: 'value',
    invoice_amount_credited: 'value',
    line_amount_types: 'text',
    description: 'text',
    quantity: 'value',
    unit_amount: 'value',
    line_amount: 'value',
    tax_amount: 'value',
    tax_type: 'text',
    item_code: 'text',
    account_code: 'text',
    account_id: 'value',
    discount_rate: 'value',
    discount_amount: 'value',
    tracking_category_1: 'text',
    tracking_option_1: 'text',
    tracking_category_2: 'text',
    tracking_option_2: 'text',
    line_net_amount: 'value',
    stale_since: 'instant',
  },
} as const satisfies Record<string, Columns>;

export type ExportKind = keyof typeof exportColumns;

/** A spreadsheet takes a text that begins so for a formula; a leading apostrophe makes it a text again. Source: OWASP, CSV Injection. */
const formula = `E'^[=+@\\t\\r-]'`;

const written: Record<Columns[string], (name: string) => string> = {
  text: (name) => `case when ${name} ~ ${formula} then '''' || ${name} else ${name} end`,
  value: (name) => name,
  instant: (name) => `to_char(${name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
  flag: (name) => `${name}::text`,
};

export interface ExportFilter {
  tenantId: string;
  basis: Basis;
  /** On or after, by `created_date_utc` of a journal or `updated_date_utc` of an invoice; null for all. */
  modifiedSince: Date | null;
}

/**
 * The ledger's columns of what cancels, as its view has them, from the pairs of the one organisation `r`: the view's own are found among
 * all organisations, and are not looked for where nobody asks for them.
 */
const ofPairs: Record<string, string> = {
  reversal_of_journal_id: 'case when r.last_journal_id = l.journal_id then r.first_journal_id end',
  reversed_by_journal_id: 'case when r.first_journal_id = l.journal_id then r.last_journal_id end',
  reversed_at: 'r.reversed_at',
  stands: '(not coalesce(r.same_date, false))',
};

/** What is exported, with texts guarded; one statement, so all of it is as it was at one instant. */
function selection(
  kind: ExportKind,
  { tenantId, basis, modifiedSince }: ExportFilter,
  literal: (text: string) => string,
) {
  const columns: Columns = exportColumns[kind];
  const tenant = literal(tenantId);
  const ledger = `${basis === 'cash' ? 'xero.cash_general_ledger' : 'xero.general_ledger'} l
                  left join xero.reversals_of(${tenant}, ${literal(basis)}) r using (journal_id)`;
  const [rows, modified, order] =
    kind === 'invoices'
      ? ['xero.invoice_register l', 'updated_date_utc', 'l.updated_date_utc, l.invoice_id, l.line_index']
      : [ledger, 'created_date_utc', 'l.journal_number, l.line_index'];
  const since = modifiedSince ? ` and l.${modified} >= ${literal(modifiedSince.toISOString())}` : '';
  const cells = Object.entries(columns).map(
    ([name, how]) => `${written[how](ofPairs[name] ?? `l.${name}`)} as ${name}`,
  );
  return `select ${cells.join(', ')} from ${rows} where l.tenant_id = ${tenant}${since} order by ${order}`;
}

/**
 * Writes an export into a stream as CSV (RFC 4180, UTF-8), no faster than it is taken: Postgres waits for the reader, so
 * memory stays the same however many rows there are. Answers how many rows came after the header.
 */
export async function exportTo(
  pool: pg.Pool,
  kind: ExportKind,
  filter: ExportFilter,
  into: Writable,
  options: { signal?: AbortSignal; end?: boolean } = {},
): Promise<number> {
  // A session of its own, without the pool's limits: a reader may take as long as it likes.
  const client = new pg.Client({ ...pool.options, query_timeout: 0, statement_timeout: 0 });
  // Whoever awaits the copy hears of a lost session; unheard on the client, it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query("set datestyle to 'ISO'");
    const query = selection(kind, filter, (text) => client.escapeLiteral(text));
    let rows = -1;
    await pipeline(
      client.query(copyTo(`copy (${query}) to stdout with (format csv, header, encoding 'UTF8')`)),
      (chunks: AsyncIterable<Buffer>) => endWithCrLf(chunks, (ended) => (rows += ended)),
      into,
      options,
    );
    return rows;
  } finally {
    await client.end();
  }
}

const [quote, lineFeed, carriageReturn] = [0x22, 0x0a, 0x0d];

/** Postgres ends a row with LF, RFC 4180 with CRLF; within quotes nothing is changed. `ended` hears how many rows ended. */
async function* endWithCrLf(chunks: AsyncIterable<Buffer>, ended: (rows: number) => void): AsyncGenerator<Buffer> {
  let quoted = false;
  for await (const chunk of chunks) {
    const ends: number[] = [];
    for (let at = 0; at < chunk.length; at++) {
      // A quote within a cell is doubled, so it leaves the quotes and enters them again.
      if (chunk[at] === quote) quoted = !quoted;
      else if (chunk[at] === lineFeed && !quoted) ends.push(at);
    }
    const out = Buffer.allocUnsafe(chunk.length + ends.length);
    let from = 0;
    let to = 0;
    for (const end of ends) {
      to += chunk.copy(out, to, from, end);
      out[to++] = carriageReturn;
      from = end;
    }
    chunk.copy(out, to, from);
    ended(ends.length);
    yield out;
  }
}
