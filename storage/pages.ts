import type pg from 'pg';
import { basisOf, type Stream } from '../model/streams.ts';
import { isAboutData, reasonOf } from './data-errors.ts';
import { rowsOf } from './exact-json.ts';
import { type Counts, storeInHalves, type Unstorable } from './halves.ts';
import { insertJournalLines, journalColumns } from './journal-rows.ts';
import type { Pipeline } from './pipeline.ts';
import { inTransaction, type Queryable } from './pool.ts';
import { quarantine } from './quarantine.ts';

/** One page of journals as Xero sent it, and where it lies. Numbers are journal numbers. */
export interface JournalPage {
  runId: string;
  tenantId: string;
  stream: Stream;
  /** Where it begins: what is stored before it ends here (exclusive). */
  after: number;
  /** The offset it was asked with, at `after` or before it (exclusive). */
  askedAfter: number;
  /** The last number it covers (inclusive): the next page is asked with it. */
  through: number;
  /** Xero's answer, untouched, in UTF-8: Postgres parses it, so that no amount passes through a JavaScript double. */
  body: Buffer;
  /** Journals in it. */
  count: number;
}

/**
 * What both ways of storing share: journals that the run's filters admit are inserted unless they are there already,
 * each with its lines and their tracking. $1 run, $2 tenant, $3 basis; `element` holds one journal a row as jsonb.
 */
const insertJournals = `
  admitted as (
    select (j->>'JournalID')::uuid as journal_id, j
      from element, daybook.import_run r
     where r.run_id = $1
       -- What a filter cannot judge is admitted, for the table to refuse: a journal without number or date is no silent loss.
       and coalesce((j->>'JournalNumber')::bigint >= r.starting_at, true)
       and (r.ending_at is null or coalesce((j->>'JournalNumber')::bigint <= r.ending_at, true))
       and (r.modified_since is null or coalesce(daybook.xero_instant(j->>'CreatedDateUTC') >= r.modified_since, true))
  ), inserted as (
    insert into xero.journal (tenant_id, basis, journal_id, ${Object.keys(journalColumns)}, payload, run_id)
    select $2::uuid, $3, journal_id, ${Object.values(journalColumns)}, j, $1::uuid from admitted
    on conflict (tenant_id, basis, journal_id) do nothing
    returning journal_id, journal_number
  ), ${insertJournalLines('inserted i join admitted a using (journal_id)', '$2')}`;

/** Only the attempt whose page begins where the run stands may store: a zombie finds no row here and changes nothing. */
const runStandsHere = (after: string) => `
  select run_id, tenant_id, stream, moves_watermark from daybook.import_run
   where run_id = $1 and next_offset = ${after}::bigint and ended_at is null for update`;

/** The receipt, the watermark and the run's cursor; `counted` holds what was stored, admitted and quarantined. */
const recordPage = (after: string, through: string, journals: string, asked: string) => `
  receipt as (
    insert into daybook.page_receipt (run_id, after_number, through_number, journals, stored, quarantined, asked_after)
    select run_id, ${after}::bigint, ${through}::bigint, ${journals}::int, counted.stored, counted.quarantined,
           nullif(${asked}::bigint, ${after}::bigint) from here, counted
  ), watermark as (
    insert into daybook.stream_position as p (tenant_id, stream, watermark)
    select tenant_id, stream, ${through}::bigint from here
     where moves_watermark and ${after}::bigint <= coalesce((select s.watermark from daybook.stream_position s
                                                where s.tenant_id = here.tenant_id and s.stream = here.stream), 0)
    on conflict (tenant_id, stream) do update
       set watermark = greatest(p.watermark, excluded.watermark), updated_at = now()
  )
  update daybook.import_run r
     set next_offset = ${through}::bigint, pages = pages + 1, stored = r.stored + counted.stored, admitted = r.admitted + counted.admitted,
         quarantined = r.quarantined + counted.quarantined, waiting_until = null,
         status = case r.status when 'stopping' then r.status else 'running' end
    from here, counted
   where r.run_id = here.run_id
  returning r.run_id`;

/**
 * Whether an admitted journal is neither new nor there already under the number it comes with, which lies where the page does.
 * They are fetched at once, which costs less than a look for each. What another run has stored since this statement began is
 * not seen and counts as renumbered, which costs that page its pieces and no more.
 */
const oneIsRenumbered = `exists (
    select from admitted
     where (journal_id, (j->>'JournalNumber')::bigint) not in (
       select journal_id, journal_number from inserted
       union all
       select journal_id, journal_number from xero.journal
        where tenant_id = $2 and basis = $3 and journal_number > $8::bigint and journal_number <= $5::bigint))`;

/**
 * A journal that is there under another number must not be passed over in silence, and only JavaScript has its words: so a
 * count of nothing, which the run's row does not take, makes the statement refuse its page. It is looked for only where fewer
 * were inserted than admitted.
 */
const storeWhole = `
  with here as (${runStandsHere('$4')}),
  element as (select e.j from here, jsonb_array_elements($7::text::jsonb -> 'Journals') as e (j)),
  ${insertJournals},
  counted as (
    select i.stored, case when i.stored < a.admitted and ${oneIsRenumbered} then null else a.admitted end as admitted, 0 as quarantined
      from (select count(*) as stored from inserted) as i, (select count(*) as admitted from admitted) as a
  ),
  ${recordPage('$4', '$5', '$6', '$8')}`;

const storePiece = `
  with element as (select e.j from jsonb_array_elements($4::text::jsonb) as e (j)), ${insertJournals}
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

const recordPieces = `
  with here as (${runStandsHere('$2')}),
  counted as (select $5::int as stored, $6::int as admitted, $7::int as quarantined),
  ${recordPage('$2', '$3', '$4', '$8')}`;

/**
 * Stores a page: its journals, its receipt and the run's cursor in one commit. A page that Postgres cannot take as a whole
 * is taken in ever smaller pieces; what cannot be stored goes to quarantine, word for word, with the reason. False when the run
 * does not stand where this page begins: another attempt has stored it, or the page before is not stored yet. Most pages are one
 * statement, sent by `pipeline`, if there is one.
 */
export async function storePage(
  pool: pg.Pool,
  page: JournalPage,
  pipeline: Pick<Pipeline, 'query'> = pool,
): Promise<boolean> {
  const basis = basisOf(page.stream);
  try {
    const { rowCount } = await pipeline.query({
      name: 'store-journal-page',
      text: storeWhole,
      values: [page.runId, page.tenantId, basis, page.after, page.through, page.count, page.body, page.askedAfter],
    });
    return rowCount === 1;
  } catch (error) {
    if (!isAboutData(error)) throw error;
  }
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(runStandsHere('$2'), [page.runId, page.after]);
    if (rowCount === 0) return false;
    const counted = await storeInHalves(
      rowsOf(page.body.toString(), 'Journals'),
      (journals) => attempt(client, page, journals),
      (journal, reason) => {
        const journalNumber = /"JournalNumber"\s*:\s*"?(\d{1,18})\b/.exec(journal)?.[1] ?? null;
        // Whether the filters admit it can only be told by its number; without one it is kept, so that nothing is lost.
        return quarantine(client, page, journal, { journalNumber }, reason);
      },
    );
    await client.query(recordPieces, [
      page.runId,
      page.after,
      page.through,
      page.count,
      counted.stored,
      counted.admitted,
      counted.quarantined,
      page.askedAfter,
    ]);
    return true;
  });
}

/** Stores some journals of a page, or none of them and says why they cannot be stored. */
async function attempt(client: Queryable, page: JournalPage, journals: string[]): Promise<Counts | Unstorable> {
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
      if (found[0]) return refuse(found[0].reason);
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

/** Sets where a run with `modifiedSince` begins to read; nothing when another attempt has set it. */
export async function placeCursor(db: Queryable, runId: string, nextOffset: number): Promise<void> {
  await db.query(
    `update daybook.import_run set next_offset = $2 where run_id = $1 and next_offset is null and ended_at is null`,
    [runId, nextOffset],
  );
}
