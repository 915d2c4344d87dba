import { largestJournalId } from '../model/request.ts';
import { basisOf } from '../model/streams.ts';
import { isAboutData, reasonOf } from './data-errors.ts';
import { rowsOf } from './exact-json.ts';
import { type Counts, storeInHalves, type Unstorable } from './halves.ts';
import { insertJournals, unlessThere } from './journal-rows.ts';
import type { JournalPage } from './pages.ts';
import type { Queryable } from './pool.ts';
import { quarantine } from './quarantine.ts';

const storePiece = `
  with element as (select e.j from jsonb_array_elements($4::text::jsonb) as e (j)), ${insertJournals(unlessThere)}
  select (select count(*) from inserted)::int as stored, (select count(*) from admitted)::int as admitted`;

/** Why a journal of a piece cannot be stored: it is there already, under another number. */
const renumbered = `
  select format('Journal %s came with number %s, but is stored with number %s, and a journal never changes its number.',
                s.journal_id, sent.number, s.journal_number) as reason
    from (select (j->>'JournalID')::uuid as id, (j->>'JournalNumber')::bigint as number
            from jsonb_array_elements($3::text::jsonb) as e (j)) as sent
    join xero.journal s on s.tenant_id = $1 and s.basis = $2 and s.journal_id = sent.id
   where s.journal_number <> sent.number limit 1`;

/** Lines whose journal is not there, because somebody deleted it by hand, would stand in the way of its return. */
const clearOrphans = `
  with gone as (
    select id from (select (j->>'JournalID')::uuid as id from jsonb_array_elements($3::text::jsonb) as e (j)) as sent
     where not exists (select from xero.journal where tenant_id = $1 and basis = $2 and journal_id = id)
  ), tracking as (
    delete from xero.journal_line_tracking where tenant_id = $1 and basis = $2 and journal_id in (select id from gone)
  )
  delete from xero.journal_line where tenant_id = $1 and basis = $2 and journal_id in (select id from gone)`;

/**
 * Stores a page that Postgres cannot take as a whole, or whose numbers are in doubt, and tells how far it reaches: a journal that is
 * stored under another number has a wrong one, and beyond the page's others it must not move the cursor.
 */
export async function storeInPieces(
  client: Queryable,
  page: JournalPage,
): Promise<{ counts: Counts; through: number }> {
  const rows = rowsOf(page.body.toString(), 'Journals');
  const wrong = rows.filter((row) => isImpossible(row) || page.wrong?.includes(numberOf(row)));
  // What lies beyond the page's reach comes with the next one.
  const others = rows.filter((row) => !wrong.includes(row) && !(page.wrong && numberOf(row) > page.through));
  const renumberedOnes = new Set<number>();
  const counts = await storeInHalves(
    others,
    (journals) => attempt(client, page, journals, renumberedOnes),
    (journal, reason) => {
      const journalNumber = /"JournalNumber"\s*:\s*"?(\d{1,18})\b/.exec(journal)?.[1] ?? null;
      // Whether the filters admit it can only be told by its number; without one it is kept, so that nothing is lost.
      return quarantine(client, page, journal, { journalNumber }, reason);
    },
  );
  for (const row of wrong) {
    // Nor is a wrong number one to tell by.
    const quarantined = await quarantine(client, page, row, { journalNumber: null }, wrongNumber(row));
    counts.admitted += quarantined;
    counts.quarantined += quarantined;
  }
  if (!renumberedOnes.has(page.through)) return { counts, through: page.through };
  const numbers = others.map(numberOf).filter((number) => !renumberedOnes.has(number) && number <= page.through);
  const through = Math.max(page.after, ...numbers);
  // With nothing else in it the page could not be gone on from.
  return { counts, through: through > page.after ? through : page.through };
}

/** The journal number of a row; not a number where it has none. */
function numberOf(row: string): number {
  const { JournalNumber: number } = (JSON.parse(row) ?? {}) as { JournalNumber?: unknown };
  return typeof number === 'number' || typeof number === 'string' ? Number(number) : Number.NaN;
}

function isImpossible(row: string): boolean {
  return numberOf(row) > largestJournalId;
}

function wrongNumber(row: string): string {
  const came = `The journal came with number ${numberOf(row)}`;
  return isImpossible(row)
    ? `${came}, and Xero knows none above ${largestJournalId}.`
    : `${came}, far beyond the others of its page, but Xero has no journal of that number when it is asked for it.`;
}

/** Stores some journals of a page, or none of them and says why they cannot be stored. */
async function attempt(
  client: Queryable,
  page: JournalPage,
  journals: string[],
  renumberedOnes: Set<number>,
): Promise<Counts | Unstorable> {
  const basis = basisOf(page.stream);
  const piece = `[${journals}]`;
  await client.query('savepoint journals');
  try {
    await client.query(clearOrphans, [page.tenantId, basis, piece]);
    const { rows } = await client.query<{ stored: number; admitted: number }>(storePiece, [
      page.runId,
      page.tenantId,
      basis,
      piece,
    ]);
    const { stored = 0, admitted = 0 } = rows[0] ?? {};
    if (stored < admitted) {
      // A statement of its own, as it must see whatever kept one from being inserted.
      const { rows: found } = await client.query<{ reason: string }>(renumbered, [page.tenantId, basis, piece]);
      if (found[0]) {
        if (journals.length === 1) renumberedOnes.add(numberOf(journals[0] ?? ''));
        return refuse(found[0].reason);
      }
    }
    await client.query('release savepoint journals');
    return { stored, admitted, quarantined: 0 };
  } catch (error) {
    if (!isAboutData(error)) throw error;
    return refuse(reasonOf(error));
  }

  async function refuse(reason: string) {
    await client.query('rollback to savepoint journals');
    return { refused: reason };
  }
}
