import type { Queryable } from './pool.ts';

/** What is stored of one organisation's accrual journals, summed exactly; amounts are decimal text. */
export interface LedgerSummary {
  count: number;
  /** Journals whose number another one has too. */
  duplicates: number;
  debits: string;
  credits: string;
  sumsByAccountId: Record<string, string>;
  /** SHA-256 (hex) over the journal numbers in ascending order, each in decimal and followed by a line feed. */
  numbersChecksum: string;
}

export async function summariseLedger(db: Queryable, tenantId: string): Promise<LedgerSummary> {
  const journals = db.query<Pick<LedgerSummary, 'count' | 'duplicates' | 'numbersChecksum'>>(
    `select count(*)::int as count, (count(*) - count(distinct journal_number))::int as duplicates,
            encode(sha256(convert_to(coalesce(string_agg(journal_number || E'\\n', '' order by journal_number), ''), 'UTF8')), 'hex')
              as "numbersChecksum"
       from xero.journal where tenant_id = $1 and basis = 'accrual'`,
    [tenantId],
  );
  const lines = db.query<Pick<LedgerSummary, 'debits' | 'credits' | 'sumsByAccountId'>>(
    `with account as (
       select account_id, sum(net_amount) as total, sum(greatest(net_amount, 0)) as debits, -sum(least(net_amount, 0)) as credits
         from xero.journal_line where tenant_id = $1 and basis = 'accrual' group by account_id
     )
     select coalesce(sum(debits), 0)::text as debits, coalesce(sum(credits), 0)::text as credits,
            coalesce(jsonb_object_agg(account_id, total::text) filter (where account_id is not null), '{}') as "sumsByAccountId"
       from account`,
    [tenantId],
  );
  const [first, second] = [(await journals).rows[0], (await lines).rows[0]];
  if (!first || !second) throw new Error('Postgres answered a summary with no row.');
  return { ...first, ...second };
}
