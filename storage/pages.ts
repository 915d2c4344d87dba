import type pg from 'pg';
import { basisOf, type Stream } from '../model/streams.ts';
import { isAboutData } from './data-errors.ts';
import { storeInPieces } from './journal-pieces.ts';
import { insertJournals, unlessThere } from './journal-rows.ts';
import type { Pipeline } from './pipeline.ts';
import { inTransaction, type Queryable } from './pool.ts';

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
  /**
   * Numbers in it of which Xero itself has no journal: whatever came with one is put aside. Null where no number was doubted; else what
   * lies beyond `through` comes with the next page, and is left to that.
   */
  wrong?: readonly number[] | null;
}

/** How a page is stored that can be taken as a whole. */
export interface Way {
  /** Sends its statement; the pool without it. */
  pipeline?: Pick<Pipeline, 'query'>;
  /** Its commit does not wait for the disk: a crash of Postgres may forget it, until `areOnDisk` says otherwise. */
  isHasty?: boolean;
  /** None of its journals is there. Where one is, or cannot be stored, the page is refused by the error about it. */
  isNews?: boolean;
}

/** Only the attempt whose page begins where the run stands may store: a zombie finds no row here and changes nothing. */
const runStandsHere = (after: string, also = '') => `
  select run_id, tenant_id, stream, moves_watermark${also} from daybook.import_run
   where run_id = $1 and next_offset = ${after}::bigint and ended_at is null for update`;

/** The receipt, the watermark and the run's cursor; `counted` holds what was stored, admitted and quarantined. */
const recordPage = (after: string, through: string, journals: string, asked: string) => `
  receipt as (
    insert into daybook.page_receipt (run_id, after_number, through_number, journals, stored, quarantined, asked_after)
    select run_id, ${after}::bigint, ${through}::bigint, ${journals}::int, counted.stored, counted.quarantined,
           nullif(${asked}::bigint, ${after}::bigint) from here, counted
    -- A run that went back comes to where it was.
    on conflict (run_id, after_number, page) do update
       set through_number = greatest(page_receipt.through_number, excluded.through_number), journals = excluded.journals,
           stored = page_receipt.stored + excluded.stored, quarantined = page_receipt.quarantined + excluded.quarantined
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

/** A page by one statement, if the run stands where it begins; $9 says that the commit need not wait for the disk. */
const storeAs = (insert: string, counted: string) => `
  with here as (${runStandsHere('$4', `, case when $9::boolean then set_config('synchronous_commit', 'off', true) end`)}),
  element as (select e.j from here, jsonb_array_elements($7::text::jsonb -> 'Journals') as e (j)),
  ${insert},
  counted as (${counted}),
  ${recordPage('$4', '$5', '$6', '$8')}`;

/**
 * A journal that is there under another number must not be passed over in silence, and only JavaScript has its words: so a
 * count of nothing, which the run's row does not take, makes the statement refuse its page. It is looked for only where fewer
 * were inserted than admitted.
 */
const storeWhole = storeAs(
  insertJournals(unlessThere),
  `select i.stored, case when i.stored < a.admitted and ${oneIsRenumbered} then null else a.admitted end as admitted, 0 as quarantined
     from (select count(*) as stored from inserted) as i, (select count(*) as admitted from admitted) as a`,
);

/** The same of journals of which none is there: not to look for each costs Postgres a tenth less. */
const storeNews = storeAs(
  insertJournals(''),
  'select count(*) as stored, count(*) as admitted, 0 as quarantined from inserted',
);

const recordPieces = `
  with here as (${runStandsHere('$2')}),
  counted as (select $5::int as stored, $6::int as admitted, $7::int as quarantined),
  ${recordPage('$2', '$3', '$4', '$8')}`;

/**
 * Stores a page: its journals, its receipt and the run's cursor in one commit. A page that Postgres cannot take as a whole
 * is taken in ever smaller pieces; what cannot be stored goes to quarantine, word for word, with the reason. False when the run
 * does not stand where this page begins, as another attempt has stored it, or the page before is not stored yet; or when it was stored
 * and does not reach as far as was thought. Most pages are one statement.
 */
export async function storePage(
  pool: pg.Pool,
  page: JournalPage,
  { pipeline = pool, isHasty = false, isNews = false }: Way = {},
): Promise<boolean> {
  const basis = basisOf(page.stream);
  try {
    if (!page.wrong) {
      const { rowCount } = await pipeline.query({
        ...(isNews ? { name: 'store-news', text: storeNews } : { name: 'store-journal-page', text: storeWhole }),
        values: [
          ...[page.runId, page.tenantId, basis, page.after, page.through, page.count, page.body, page.askedAfter],
          isHasty,
        ],
      });
      return rowCount === 1;
    }
  } catch (error) {
    if (isNews || !isAboutData(error)) throw error;
  }
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(runStandsHere('$2'), [page.runId, page.after]);
    if (rowCount === 0) return false;
    const { counts, through } = await storeInPieces(client, page);
    const { stored, admitted, quarantined } = counts;
    await client.query(recordPieces, [
      page.runId,
      page.after,
      through,
      page.count,
      stored,
      admitted,
      quarantined,
      page.askedAfter,
    ]);
    return through === page.through;
  });
}

/**
 * Waits until a run's pages through a number are on the disk. False where they are not stored, or not any more, as Postgres crashed.
 * All commits reach the disk in their order, so this one, which changes nothing, is there behind those.
 */
export async function areOnDisk(db: Queryable, runId: string, through: number): Promise<boolean> {
  const { rowCount } = await db.query(
    'update daybook.import_run set next_offset = next_offset where run_id = $1 and next_offset >= $2',
    [runId, through],
  );
  return rowCount === 1;
}

/** Whether no journal is stored beyond a number, by whichever run. */
export async function isNoneBeyond(
  db: Queryable,
  { tenantId, stream }: Pick<JournalPage, 'tenantId' | 'stream'>,
  number: number,
): Promise<boolean> {
  // In the order of an index: without it the planner may read the whole table, where others have many beyond that number.
  const { rowCount } = await db.query(
    `select from xero.journal where tenant_id = $1 and basis = $2 and journal_number > $3
      order by tenant_id, basis, journal_number limit 1`,
    [tenantId, basisOf(stream), number],
  );
  return rowCount === 0;
}

/** Sets where a run with `modifiedSince` begins to read; nothing when another attempt has set it. */
export async function placeCursor(db: Queryable, runId: string, nextOffset: number): Promise<void> {
  await db.query(
    `update daybook.import_run set next_offset = $2 where run_id = $1 and next_offset is null and ended_at is null`,
    [runId, nextOffset],
  );
}
