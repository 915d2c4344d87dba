import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { drawSeed } from './observe.ts';

/** Numbers from 0 to below 1 that a seed decides, so that a crash can be repeated at the same page (mulberry32). */
export function seededRandom(what: string): () => number {
  let state = drawSeed(what);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A moment to break something: once this many pages are stored, and this much later, which is anywhere within a page. */
export interface Moment {
  pages: number;
  delayMs: number;
}

/** `count` moments spread over an import of `pages` pages, one in each equal part of it, the last part left in peace. */
export function drawMoments(random: () => number, count: number, pages: number): Moment[] {
  const part = Math.floor(pages / (count + 1));
  return Array.from({ length: count }, (_, index) => ({
    pages: Math.floor(part * (index + random())) + 1,
    delayMs: Math.floor(random() * 60),
  }));
}

/** Waits for the moment; the database may be away for a while. */
export async function untilMoment(pool: pg.Pool, { pages, delayMs }: Moment, withinMs = 120_000): Promise<void> {
  await untilPages(pool, pages, withinMs);
  await sleep(delayMs);
}

/** Waits until this many pages are committed, over all runs. */
export async function untilPages(pool: pg.Pool, pages: number, withinMs = 120_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const stored = await pool
      .query<{ pages: number }>('select count(*)::int as pages from daybook.page_receipt')
      .then(({ rows }) => rows[0]?.pages ?? 0)
      .catch(() => 0);
    if (stored >= pages) return;
    if (performance.now() > deadline) throw new Error(`${stored} pages are stored after ${withinMs} ms, not ${pages}.`);
    await sleep(10);
  }
}
