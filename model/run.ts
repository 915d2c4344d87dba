import { type Stream, streams } from './streams.ts';

/** Everything counted so far in one import run. Kept in Postgres; the workflow only repeats it. */
export interface Totals {
  /** Pages committed. */
  pages: number;
  /** Rows stored by this run (journals; invoices that were new or had changed; those stored before are not counted again). */
  stored: number;
  /** Rows that Xero sent and the filters admitted, stored before or not. */
  admitted: number;
  /** Rows that could not be stored and wait in quarantine with the reason. */
  quarantined: number;
  /** Calls spent on Xero, refused and repeated ones included. */
  calls: number;
}

export const noTotals: Totals = { pages: 0, stored: 0, admitted: 0, quarantined: 0, calls: 0 };

export interface Position {
  /** Everything up to here has been read by this run: a journal number, or an ISO instant for invoices; null before. */
  readThrough: number | string | null;
  /** Calls left today as Xero last said; null when it has not said. */
  dayRemaining: number | null;
  totals: Totals;
}

/** How far a run has read, for people: a journal number, or for invoices the instant of a second since 1970. */
export function readThrough(stream: Stream, cursor: number | null): number | string | null {
  if (cursor === null || streams[stream].kind === 'journals') return cursor;
  return cursor === 0 ? null : new Date(cursor * 1_000).toISOString();
}

/** Which limit or event a run waits for. `outage`: Xero is down and said for how long. */
export type WaitReason = LimitName | 'reserve' | 'precedence' | 'outage';

/** The limits that Xero names with a 429. */
export type LimitName = 'minute' | 'day' | 'concurrent' | 'appMinute';

/** What must be waited for, and until when by the clock of the worker that heard of it. */
export interface Wait {
  reason: WaitReason;
  until: string;
  /**
   * In how many milliseconds that is, as Temporal's clock, by which it is slept, may differ from the worker's. Histories from before it
   * was told have none.
   */
  inMs?: number;
}

/** How a slice of pages ended: expected outcomes are values. Only the unexpected is thrown, and tried again by Temporal. */
export type SliceOutcome =
  /** There is more to read, or somebody asked for a rest. */
  | ({ kind: 'imported' } & Position)
  | ({ kind: 'caughtUp' } & Position)
  | ({ kind: 'throttled' } & Wait & Position)
  | ({ kind: 'needsReconnect'; message: string } & Position)
  | { kind: 'stopped'; failure: FailureName; message: string };

/**
 * Names under which a workflow fails; they are what a caller matches on, so they do not change. `Disconnected`: the
 * connection was removed from Daybook; an organisation that was disconnected in Xero makes its imports wait instead.
 * `NothingImported`: there is no stored ledger to reconcile.
 */
export type FailureName =
  | 'InvalidRequest'
  | 'UnknownConnection'
  | 'ApplicationNotAllowed'
  | 'ImportAlreadyRunning'
  | 'NotEntitled'
  | 'Disconnected'
  | 'RefusedByXero'
  | 'RunEnded'
  | 'NothingImported';

export type BeginOutcome = { kind: 'begun'; run: OpenRun } | { kind: 'refused'; failure: FailureName; message: string };

/** What the workflow keeps of its run: names for people, numbers for the progress bar, no data. */
export interface OpenRun {
  runId: string;
  connection: string;
  organisation: string;
  application: string;
  stream: Stream;
  /** In words, for the Temporal UI: "journals 1 to 5000". */
  wanted: string;
  startingAt: number;
  endingAt: number | null;
}

export const runStatuses = [
  'running',
  'stopping',
  'waiting',
  'paused',
  'needsReconnect',
  'caughtUp',
  'cancelled',
  'failed',
  'skipped',
] as const;

export type RunStatus = (typeof runStatuses)[number];

/** How a run ended. */
export type EndStatus = Extract<RunStatus, 'caughtUp' | 'cancelled' | 'failed' | 'skipped'>;

/** The answer of the query `progress`. */
export interface Progress extends Position {
  run: OpenRun | null;
  status: RunStatus;
  /** What is being waited for, in words; null when nothing is. */
  waitingFor: string | null;
  /** ISO instant at which the run goes on by itself; null when it does not wait for a time. */
  waitingUntil: string | null;
}

/** The result of a workflow that did not fail. */
export interface ImportResult {
  outcome: Exclude<EndStatus, 'failed'>;
  message: string;
  runId: string;
  stream: Stream;
  readThrough: number | string | null;
  totals: Totals;
}
