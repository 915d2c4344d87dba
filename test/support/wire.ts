import { LosslessNumber, parse } from 'lossless-json';
import type { Sandbox } from '../../sandbox/server.ts';
import type { Stand } from './stand.ts';

/** A journal as it stands on the wire: numbers keep every digit as written. */
export type WireJournal = Record<string, unknown> & { JournalLines?: Record<string, unknown>[] | null };

/** Every journal of the sandbox's accrual books as any client gets it over HTTP, past all of our own code. */
export async function readWire(sandbox: Sandbox, tenantId: string): Promise<WireJournal[]> {
  const { access_token: token } = sandbox.tokens.mint();
  const journals: WireJournal[] = [];
  for (let offset = 0; ; ) {
    const response = await fetch(`${sandbox.apiUrl}/api.xro/2.0/Journals?offset=${offset}`, {
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', 'xero-tenant-id': tenantId },
    });
    const { Journals } = parse(await response.text()) as { Journals: WireJournal[] };
    if (Journals.length === 0) return journals;
    journals.push(...Journals);
    offset = Math.max(...Journals.map(({ JournalNumber }) => Number(JournalNumber ?? 0)));
  }
}

const text = (value: unknown): string | null =>
  value === undefined || value === null ? null : value instanceof LosslessNumber ? value.value : String(value);

/** Xero's dates are milliseconds since 1970, in UTC whatever they say behind it; a few endpoints write ISO. */
function instant(value: unknown): string | null {
  const ms = /^\/Date\((-?\d+)(?:[+-]\d{4})?\)\/$/.exec(text(value) ?? '')?.[1];
  if (ms !== undefined) return new Date(Number(ms)).toISOString();
  return value === undefined ? null : new Date(`${text(value)?.replace(/Z$/, '')}Z`).toISOString();
}

/** What Postgres must hold of a journal, all of it as text. */
export function asStored(journal: WireJournal) {
  return {
    id: text(journal.JournalID),
    number: text(journal.JournalNumber),
    date: instant(journal.JournalDate)?.slice(0, 10),
    created: instant(journal.CreatedDateUTC),
    reference: text(journal.Reference),
    source_id: text(journal.SourceID),
    source_type: text(journal.SourceType),
    lines: (journal.JournalLines ?? []).map((line) => ({
      id: text(line.JournalLineID),
      account_id: text(line.AccountID),
      account_code: text(line.AccountCode),
      account_type: text(line.AccountType),
      account_name: text(line.AccountName),
      description: text(line.Description),
      net: text(line.NetAmount),
      gross: text(line.GrossAmount),
      tax: text(line.TaxAmount),
      tax_type: text(line.TaxType),
      tax_name: text(line.TaxName),
      tracking: ((line.TrackingCategories ?? []) as Record<string, unknown>[]).map((tag) => ({
        category_id: text(tag.TrackingCategoryID),
        option_id: text(tag.TrackingOptionID),
        name: text(tag.Name),
        option: text(tag.Option),
      })),
    })),
  };
}

/** What Postgres does hold, in the same shape, by number. */
export async function readStored({ database, organisation }: Pick<Stand, 'database' | 'organisation'>) {
  const { rows } = await database.pool.query<{ journal: ReturnType<typeof asStored> }>(
    `select json_build_object(
       'id', journal_id, 'number', journal_number::text, 'date', to_char(journal_date, 'YYYY-MM-DD'),
       'created', to_char(created_date_utc at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       'reference', reference, 'source_id', source_id, 'source_type', source_type,
       'lines', coalesce((select json_agg(json_build_object(
          'id', journal_line_id, 'account_id', account_id, 'account_code', account_code, 'account_type', account_type,
          'account_name', account_name, 'description', description, 'net', net_amount::text, 'gross', gross_amount::text,
          'tax', tax_amount::text, 'tax_type', tax_type, 'tax_name', tax_name,
          'tracking', coalesce((select json_agg(json_build_object('category_id', tracking_category_id,
              'option_id', tracking_option_id, 'name', name, 'option', option) order by tracking_index)
            from xero.journal_line_tracking t
           where (t.tenant_id, t.basis, t.journal_id, t.line_index) = (l.tenant_id, l.basis, l.journal_id, l.line_index)
          ), '[]')) order by line_index)
         from xero.journal_line l where (l.tenant_id, l.basis, l.journal_id) = (j.tenant_id, j.basis, j.journal_id)), '[]')
       ) as journal
       from xero.journal j where tenant_id = $1 and basis = 'accrual' order by journal_number`,
    [organisation.tenantId],
  );
  return rows.map(({ journal }) => journal);
}
