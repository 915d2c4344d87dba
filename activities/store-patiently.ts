import { sleep } from '@temporalio/activity';
import type pg from 'pg';
import { type JournalPage, storePage } from '../storage/pages.ts';
import { isAway } from '../storage/pool.ts';
import { runAtWork } from '../storage/runs.ts';

const tries = 8;
const firstWaitMs = 250;
const longestWaitMs = 8_000;

/**
 * Stores a page, and keeps it in hand for half a minute while Postgres is away: fetching it again would cost a call. False
 * when another attempt has stored it and this one is a zombie.
 */
export async function storePatiently(pool: pg.Pool, page: JournalPage): Promise<boolean> {
  for (let tried = 1; ; tried++) {
    try {
      const { moved } = await storePage(pool, page);
      if (moved || tried === 1) return moved;
      // The commit may have happened with its answer lost; then the run stands just behind this page.
      return (await runAtWork(pool, page.runId))?.nextOffset === page.through;
    } catch (error) {
      if (tried === tries || !isAway(error)) throw error;
      await sleep(Math.min(longestWaitMs, firstWaitMs * 2 ** tried));
    }
  }
}
