import type pg from 'pg';
import { findAuthorisation } from '../storage/authorisations.ts';
import { listIdle, listUnfinished, markSwept } from '../storage/token-sweep.ts';
import type { TokenLog } from './refresh.ts';
import type { TokenAnswer } from './tokens.ts';

/** How many authorisations a sweep refreshed, and how many it could not. */
export interface Swept {
  refreshed: number;
  failed: number;
}

type Share = (authorisationId: string, notThis: number | undefined) => Promise<TokenAnswer>;

/** Few enough to leave the pool and Xero's token endpoint to the imports. */
const lanes = 4;

/** Refreshes every authorisation with an attempt whose outcome nobody knows (see `listUnfinished`). */
export async function followUp(pool: pg.Pool, log: TokenLog, now: () => number, share: Share): Promise<Swept> {
  const finish = async (authorisationId: string, seconds: number) => {
    const facts = { authorisationId, seconds: Math.round(seconds) };
    if (seconds > 720) log.error(facts, 'A refresh has had no known outcome for 12 minutes; Xero’s grace ends at 30');
    const seen = await findAuthorisation(pool, authorisationId);
    const began = now();
    const answer = await share(authorisationId, seen?.generation);
    const renewed = answer.kind === 'token' && answer.generation !== seen?.generation;
    if (renewed) await markSwept(pool, authorisationId, (now() - began) / 1_000);
    return renewed;
  };
  const unfinished = await listUnfinished(pool);
  return each(
    log,
    unfinished.map(
      ({ authorisationId, seconds }) =>
        () =>
          finish(authorisationId, seconds),
    ),
  );
}

/** Refreshes those that nobody used for a day. */
export async function keepAlive(pool: pg.Pool, log: TokenLog, share: Share): Promise<Swept> {
  const idle = await listIdle(pool);
  return each(
    log,
    idle.map((id) => async () => (await share(id, undefined)).kind === 'token'),
  );
}

/** A few at a time. One that fails does not stop the others; it is tried again the next time. */
async function each(log: TokenLog, tasks: (() => Promise<boolean>)[]): Promise<Swept> {
  const swept = { refreshed: 0, failed: 0 };
  const work = async () => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      const done = await task().catch((error: Error) => {
        log.error({ reason: error.message }, 'An authorisation could not be followed up');
        return false;
      });
      swept[done ? 'refreshed' : 'failed'] += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return swept;
}
