import type { JournalRange } from '../model/cursor.ts';
import type { InvoicePlace } from '../model/invoice-cursor.ts';
import { pagesRemembered } from '../model/lanes.ts';
import type { EndStatus, RunStatus, Totals, WaitReason } from '../model/run.ts';
import { journalsPerPage, type Stream } from '../model/streams.ts';
import type { Connection } from './connections.ts';
import type { Queryable } from './pool.ts';

/** One execution of an import request, as Postgres knows it. */
export interface ImportRun {
  runId: string;
  workflowId: string;
  connectionId: string;
  connectionName: string;
  application: string;
  tenantId: string;
  stream: Stream;
  range: JournalRange;
  modifiedSince: Date | null;
  movesWatermark: boolean;
  /** Offset of the next call; null until the first journal of a `modifiedSince` run is found. */
  nextOffset: number | null;
  /** For invoices: where the run stands; its second is `nextOffset`. */
  invoicePlace: InvoicePlace;
  status: RunStatus;
  totals: Totals;
}

export interface NewRun {
  runId: string;
  workflowId: string;
  connection: Connection;
  application: string;
  stream: Stream;
  request: unknown;
  range: JournalRange;
  modifiedSince: Date | null;
  movesWatermark: boolean;
  nextOffset: number | null;
}

const columns = `
  r.run_id as "runId", r.workflow_id as "workflowId", r.connection_id as "connectionId", r.connection_name as "connectionName",
  r.application, r.tenant_id as "tenantId", r.stream,
  json_build_object('startingAt', r.starting_at, 'endingAt', r.ending_at) as range,
  r.modified_since as "modifiedSince", r.moves_watermark as "movesWatermark", r.next_offset as "nextOffset",
  json_build_object('second', r.next_offset, 'page', r.next_page, 'beyond', r.beyond_second,
                    'closing', r.closing_pages) as "invoicePlace", r.status,
  json_build_object('pages', r.pages, 'stored', r.stored, 'admitted', r.admitted, 'quarantined', r.quarantined,
                    'calls', (select c.calls from daybook.run_calls c where c.run_id = r.run_id)) as totals`;

/** How far the stream is stored without a hole, 0 when nothing is. */
export async function watermark(db: Queryable, tenantId: string, stream: Stream): Promise<number> {
  const { rows } = await db.query<{ watermark: number }>(
    `select watermark from daybook.stream_position where tenant_id = $1 and stream = $2`,
    [tenantId, stream],
  );
  return rows[0]?.watermark ?? 0;
}

/**
 * Opens a run. `opened` is false when another open run holds the stream's watermark; the answer is then that run. Opening
 * the same run again (a repeated activity) returns it as it is.
 */
export async function openRun(db: Queryable, run: NewRun): Promise<{ opened: boolean; run: ImportRun }> {
  await db.query(
    `with opened as (
       insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream,
                                       request, starting_at, ending_at, modified_since, moves_watermark, next_offset)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
       on conflict do nothing returning run_id
     )
     insert into daybook.run_calls (run_id) select run_id from opened`,
    [
      run.runId,
      run.workflowId,
      run.connection.connectionId,
      run.connection.name,
      run.application,
      run.connection.tenantId,
      run.stream,
      JSON.stringify(run.request),
      run.range.startingAt,
      run.range.endingAt,
      run.modifiedSince,
      run.movesWatermark,
      run.nextOffset,
    ],
  );
  const { rows } = await db.query<ImportRun>(
    `select ${columns} from daybook.import_run r
      where r.run_id = $1 or (r.tenant_id = $2 and r.stream = $3 and r.moves_watermark and r.ended_at is null)
      order by r.run_id = $1 desc limit 1`,
    [run.runId, run.connection.tenantId, run.stream],
  );
  const found = rows[0];
  // The holder may have ended between the two statements: then there is neither, and the caller tries again.
  if (!found) throw new Error('The run that held this stream has just ended; opening is tried again.');
  return { opened: found.runId === run.runId, run: found };
}

/** Names a run, and the workflow that drives it. */
export type RunIds = Pick<ImportRun, 'runId' | 'workflowId'>;

/** A run with what its next slice needs to know, in one round trip; by the last receipts of journals, as a backfill has tens of thousands. */
export interface RunAtWork extends ImportRun {
  authorisationId: string | null;
  /** How many of the organisation's daily calls it leaves to others: by its request or its connection, whichever are more. */
  quotaReserve: number;
  /** Imports that somebody waits for go first. */
  isBackfill: boolean;
  /** For a backfill: another import of the organisation is open that is none. */
  othersAreOpen: boolean;
  /** No other import of the organisation is open. */
  isAlone: boolean;
  ended: boolean;
  /** Of invoices: rows in the largest page that this run has stored; 0 before the first. */
  largestPage: number;
  /** Of journals: the last page was full and brought news, so more are likely to follow. */
  dense: boolean;
  /** Of journals: how many numbers each of the run's last full pages reached on, the newest last. */
  reaches: number[];
  /** How far the stream is stored without a hole, 0 when nothing is. */
  storedThrough: number;
  /** False once the application was taken off the connection's list, or the connection was removed. */
  allowed: boolean;
}

export async function runAtWork(db: Queryable, runId: string): Promise<RunAtWork | null> {
  const { rows } = await db.query<RunAtWork>(
    `select ${columns}, c.authorisation_id as "authorisationId", greatest(c.quota_reserve, (r.request->>'quotaReserve')::int, 0) as "quotaReserve",
            coalesce((r.request->>'backfill')::boolean, false) as "isBackfill",
            (r.request->>'backfill')::boolean is true
              and exists (select from daybook.import_run o
                           where o.tenant_id = r.tenant_id and o.ended_at is null and o.status in ('running', 'waiting')
                             and (o.request->>'backfill')::boolean is not true) as "othersAreOpen",
            not exists (select from daybook.import_run o
                         where o.tenant_id = r.tenant_id and o.run_id <> r.run_id and o.ended_at is null) as "isAlone",
            a.application is not null as allowed,
            r.ended_at is not null as ended,
            case r.stream when 'invoices'
              then coalesce((select max(p.journals) from daybook.page_receipt p where p.run_id = r.run_id), 0) else 0 end as "largestPage",
            coalesce((select p.journals >= $2 and p.stored > 0 and p.through_number = r.next_offset from daybook.page_receipt p
                       where p.run_id = r.run_id order by p.after_number desc, p.page desc limit 1), false) as dense,
            array(select last.reach from (
                    select p.after_number, p.through_number - coalesce(p.asked_after, p.after_number) as reach from daybook.page_receipt p
                     where p.run_id = r.run_id and p.journals >= $2 and r.stream <> 'invoices' order by p.after_number desc limit $3) as last
                   order by last.after_number) as reaches,
            coalesce((select s.watermark from daybook.stream_position s
                       where s.tenant_id = r.tenant_id and s.stream = r.stream), 0) as "storedThrough"
       from daybook.import_run r
       left join daybook.connection c on c.connection_id = r.connection_id
       left join daybook.connection_application a
              on a.connection_id = r.connection_id and a.application = r.application
      where r.run_id = $1`,
    [runId, journalsPerPage, pagesRemembered],
  );
  return rows[0] ?? null;
}

/**
 * Makes an attempt the one that reads pages for a run, which waits no longer then. False when a newer one was scheduled: this
 * one's process was held up for so long (frozen, cut off) that Temporal has given its work to another; or when there is no
 * such run. One that lies ahead was scheduled by a Temporal whose clock was set back since, and would keep all others out until then.
 */
export async function takeOver(db: Queryable, runId: string, scheduledAt: Date): Promise<boolean> {
  const { rowCount } = await db.query(
    `update daybook.import_run
        set attempt_scheduled_at = $2, waiting_until = null,
            status = case when ended_at is null and status <> 'stopping' then 'running' else status end
      where run_id = $1 and coalesce(attempt_scheduled_at <= $2 or attempt_scheduled_at > now() + interval '2 minutes', true)`,
    [runId, scheduledAt],
  );
  return rowCount === 1;
}

/** Marks what an open run is doing; `waitingUntil` is when it goes on by itself, `waitingFor` why not before. A run that has ended stays as it is. */
export async function markRun(
  db: Queryable,
  runId: string,
  status: RunStatus,
  waitingUntil: Date | null,
  waitingFor: WaitReason | null = null,
): Promise<void> {
  await db.query(
    `update daybook.import_run set status = $2, waiting_until = $3, waiting_for = $4 where run_id = $1 and ended_at is null`,
    [runId, status, waitingUntil, waitingFor],
  );
}

/** Ends a run with its outcome and frees its lease. The first outcome stands. */
export async function endRun(db: Queryable, runId: string, status: EndStatus, message: string): Promise<void> {
  await db.query(
    `update daybook.import_run set status = $2, message = $3, ended_at = now(), waiting_until = null
      where run_id = $1 and ended_at is null`,
    [runId, status, message],
  );
}

export interface RunSummary extends ImportRun {
  startedAt: Date;
  endedAt: Date | null;
  message: string | null;
  waitingUntil: Date | null;
  /** What it waits for until `waitingUntil`, or else by what Xero refuses its organisation at the moment; null when neither. */
  blockedBy: WaitReason | null;
}

/** The column `blockedBy` of a `RunSummary`, from the table under the name r. */
export const blockedByColumn = `coalesce(case when r.waiting_until is not null then r.waiting_for end,
           (select q.blocked_by from daybook.quota_ledger q
             where q.scope = 'tenant:' || r.tenant_id and q.blocked_until > now())) as "blockedBy"`;

/** The columns of a `RunSummary`, from the table under the name r. */
export const runSummaryColumns = `${columns}, r.started_at as "startedAt", r.ended_at as "endedAt", r.message,
  r.waiting_until as "waitingUntil", ${blockedByColumn}`;

/** The open run that moves the watermark of a stream, through whichever connection it was asked for; null when there is none. */
export async function runThatHolds(db: Queryable, tenantId: string, stream: Stream): Promise<ImportRun | null> {
  const { rows } = await db.query<ImportRun>(
    `select ${columns} from daybook.import_run r
      where r.tenant_id = $1 and r.stream = $2 and r.moves_watermark and r.ended_at is null`,
    [tenantId, stream],
  );
  return rows[0] ?? null;
}

/** Which of these runs Postgres knows. */
export async function knownRuns(db: Queryable, runIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ runId: string }>(
    `select run_id as "runId" from daybook.import_run where run_id = any ($1::uuid[])`,
    [runIds],
  );
  return new Set(rows.map(({ runId }) => runId));
}
