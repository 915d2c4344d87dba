import { ApplicationFailure } from '@temporalio/activity';
import { isAway } from '../storage/pool.ts';

/** What a trouble is, for people: Postgres's driver tells an address at most, and does not say whose. */
export function inWords(trouble: Error): string {
  if (!isAway(trouble)) return trouble.message;
  const said = trouble.message || (trouble as NodeJS.ErrnoException).code;
  return `Postgres does not answer (${said}); this is tried again until it does.`;
}

/** Lets an activity that fails because Postgres is away say so, in Temporal's UI and in the worker's log. */
export async function sayingWhoIsAway<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (trouble) {
    if (!isAway(trouble)) throw trouble;
    throw ApplicationFailure.create({ type: 'PostgresUnavailable', message: inWords(trouble as Error) });
  }
}
