import { randomInt } from 'node:crypto';
import { vi } from 'vitest';
import type { Progress } from '../../model/run.ts';
import type { Stand } from './stand.ts';

type History = Awaited<ReturnType<ReturnType<Stand['temporal']['client']['workflow']['getHandle']>['fetchHistory']>>;

/** A seed that nobody chose, printed so that what it brought to light can be repeated: `DAYBOOK_TEST_SEED=… npx vitest …`. */
export function drawSeed(what: string): number {
  const seed = Number(process.env.DAYBOOK_TEST_SEED ?? randomInt(1, 2 ** 31));
  console.log(`[seed] ${what}: DAYBOOK_TEST_SEED=${seed}`);
  return seed;
}

/** Asks the query `progress` until its answer is as wanted; the last answer is in the error when it never is. */
export function untilProgress(
  { imports }: Stand,
  workflowId: string,
  wanted: (progress: Progress) => boolean,
  withinMs = 30_000,
): Promise<Progress> {
  return vi.waitFor(
    async () => {
      const progress = await imports.progress(workflowId);
      if (!wanted(progress)) throw new Error(`${workflowId} stands at ${JSON.stringify(progress)}`);
      return progress;
    },
    { timeout: withinMs, interval: 50 },
  );
}

export interface RunRow {
  run_id: string;
  workflow_id: string;
  status: string;
  message: string | null;
  waiting_until: Date | null;
  ended_at: Date | null;
  calls: number;
  pages: number;
}

/** The rows of import runs that a workflow id has, oldest first. */
export async function runRows({ database }: Stand, workflowId: string): Promise<RunRow[]> {
  const { rows } = await database.pool.query<RunRow>(
    `select run_id, workflow_id, status, message, waiting_until, ended_at, calls, pages
       from daybook.import_run join daybook.run_calls using (run_id) where workflow_id = $1 order by started_at`,
    [workflowId],
  );
  return rows;
}

/** Waits for an import's row to be as wanted. Unlike a query it costs the worker nothing and never waits for one. */
export function untilRow(
  stand: Stand,
  workflowId: string,
  wanted: (row: RunRow) => boolean,
  withinMs = 30_000,
): Promise<RunRow> {
  return vi.waitFor(
    async () => {
      const row = (await runRows(stand, workflowId)).at(-1);
      if (row === undefined || !wanted(row)) throw new Error(`${workflowId} has the row ${JSON.stringify(row)}`);
      return row;
    },
    { timeout: withinMs, interval: 20 },
  );
}

/** Forgets all that was imported and every run, and lets the sandbox be itself again: as though it were the first day. */
export async function forgetImports({ database, sandbox }: Stand): Promise<void> {
  sandbox.faults.clear();
  sandbox.setLatency(0);
  sandbox.calls.reset();
  await database.pool.query(
    `truncate xero.journal, xero.journal_line, xero.journal_line_tracking, xero.invoice, xero.invoice_line_item,
              xero.invoice_line_item_tracking, xero.invoice_settlement, daybook.import_run, daybook.run_calls, daybook.page_receipt,
              daybook.stream_position, daybook.quota_ledger, daybook.quarantine`,
  );
}

/** How many rows of import runs there are, whoever started them. */
export async function countRuns({ database }: Stand): Promise<number> {
  return (await database.pool.query('select 1 from daybook.import_run')).rowCount ?? 0;
}

/** The history of each run in a workflow's chain, from the first over every continue-as-new. */
export async function historiesOf({ temporal }: Stand, workflowId: string, firstRunId: string): Promise<History[]> {
  const histories: History[] = [];
  for (let runId: string | null | undefined = firstRunId; runId; ) {
    const history: History = await temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
    histories.push(history);
    runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return histories;
}

/** The priorities that the activities of histories were asked for with, in order; Temporal's usual one is 3. */
export function prioritiesIn(histories: History[]): number[] {
  const scheduled = histories
    .flatMap(({ events }) => events ?? [])
    .flatMap(({ activityTaskScheduledEventAttributes: each }) => each ?? []);
  return scheduled.map(({ priority }) => priority?.priorityKey || 3);
}

/** How often each kind of event stands in a workflow's histories. */
export async function countEvents(stand: Stand, workflowId: string, firstRunId: string) {
  const kinds = [
    ['timers', 'timerStartedEventAttributes'],
    ['activities', 'activityTaskScheduledEventAttributes'],
    ['failedActivities', 'activityTaskFailedEventAttributes'],
    ['failedTasks', 'workflowTaskFailedEventAttributes'],
  ] as const;
  const events = (await historiesOf(stand, workflowId, firstRunId)).flatMap((history) => history.events ?? []);
  return Object.fromEntries(
    kinds.map(([name, attributes]) => [name, events.filter((event) => event[attributes]).length]),
  ) as Record<(typeof kinds)[number][0], number>;
}
