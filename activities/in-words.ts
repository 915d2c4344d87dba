import { ApplicationFailure, CompleteAsyncError, Context } from '@temporalio/activity';
import { TemporalFailure } from '@temporalio/common';
import { isPostgresSaying, reasonOf } from '../storage/data-errors.ts';
import { isAway } from '../storage/pool.ts';

/** Whatever passes by itself is looked at again within so long. */
const longestPauseSeconds = 900;

/**
 * In how many seconds something that has failed is tried again: ever later, so that what lasts does not cost the day's calls
 * (a quarter of an hour is 96 attempts a day), and never later than it has lasted already. `attempt` counts from 1.
 */
export function pauseAfter(attempt: number): number {
  return Math.min(longestPauseSeconds, 2 ** attempt);
}

/** What a trouble is, for people: Postgres's driver tells an address at most, and does not say whose. */
function inWords(trouble: Error): string {
  if (isAway(trouble)) {
    const said = trouble.message || (trouble as NodeJS.ErrnoException).code;
    return `Postgres does not answer (${said}); this is tried again until it does.`;
  }
  if (!isPostgresSaying(trouble)) return trouble.message;
  const remedy = remedies.find(([state]) => state.test(trouble.code))?.[1] ?? 'Its log says more.';
  return `Postgres does not do what it is asked (${reasonOf(trouble)}). ${remedy} This is tried again by itself, after a quarter of an hour at most; what was stored stays.`;
}

/** By SQLSTATE. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const remedies: [RegExp, string][] = [
  [/^53[12]/, 'Its disk or its memory is full: give it more.'],
  [/^25006/, 'It can only be read, as a standby: let DATABASE_URL name the primary, or make this one writable.'],
  [/^42501/, 'The role in DATABASE_URL must own the tables.'],
  [/^57014/, 'A statement took too long: something may hold its tables locked, or its disk is slow.'],
];

/**
 * What Temporal is told of a trouble, and when it tries again. Where Postgres is away no call to Xero can be spent, so it is looked at
 * again soon; all else that nobody has judged may lie behind a call, which each attempt makes anew.
 */
export function failureOf(trouble: unknown, connectionName?: string): Error {
  if (trouble instanceof TemporalFailure || trouble instanceof CompleteAsyncError) return trouble;
  const cause = trouble instanceof Error ? trouble : new Error(String(trouble));
  const whose = connectionName === undefined ? '' : `Connection "${connectionName}": `;
  const message = `${whose}${inWords(cause)}`;
  if (isAway(cause)) return ApplicationFailure.create({ type: 'PostgresUnavailable', message, cause });
  const nextRetryDelay = pauseAfter(Context.current().info.attempt) * 1_000;
  const type = isPostgresSaying(cause) ? 'PostgresRefuses' : cause.name;
  return ApplicationFailure.create({ type, message, cause, nextRetryDelay });
}

/** Lets an activity that fails say why, in Temporal's UI and in the worker's log. */
export async function sayingWhatIsAmiss<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (trouble) {
    const { cancellationSignal } = Context.current();
    // What is told to stop and fails over it has stopped. Temporal would not try it again, and the workflow would hear of a failure.
    throw cancellationSignal.aborted ? cancellationSignal.reason : failureOf(trouble);
  }
}
