import { sleep } from '@temporalio/activity';
import { isAway } from '../storage/pool.ts';

const tries = 8;
const firstWaitMs = 250;
const longestWaitMs = 8_000;

/**
 * Stores a page, and keeps it in hand for half a minute while Postgres is away: fetching it again would cost a call. False
 * when another attempt has stored it and this one is a zombie. `isBehind` says whether the run stands behind the page.
 */
export async function storePatiently(
  store: () => Promise<boolean>,
  isBehind: () => Promise<boolean>,
): Promise<boolean> {
  for (let tried = 1; ; tried++) {
    try {
      // The commit may have happened with its answer lost; then the run stands behind this page.
      return (await store()) || (tried > 1 && (await isBehind()));
    } catch (error) {
      if (tried === tries || !isAway(error)) throw error;
      await sleep(Math.min(longestWaitMs, firstWaitMs * 2 ** tried));
    }
  }
}
