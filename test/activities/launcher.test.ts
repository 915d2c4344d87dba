import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Launcher } from '../../activities/launcher.ts';
import type { Reading } from '../../activities/slice-outcomes.ts';
import { createSlices } from '../../activities/slices.ts';
import { Course } from '../../model/course.ts';
import { Pace } from '../../model/pace.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'Date'] }));
afterEach(() => vi.useRealTimers());

/** Passes when a timer of the fake clock does. */
const passing = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Reads a feed without an end, a call a second as Xero's minute allows; for how long in milliseconds. */
async function slice(answerMs: number): Promise<number> {
  const pace = new Pace();
  pace.answered(answerMs);
  pace.stored(8);
  const chart = { range: { startingAt: 1, endingAt: null }, storedThrough: 0, dense: true, reaches: [100] };
  const run = { ...chart, totals: { pages: 2_000 }, isAlone: true, leaves: null } as unknown as Reading;
  const course = new Course(chart, 0);
  const began = Date.now();
  let sendsAt = began;
  const launcher = new Launcher(
    {
      ...{ run, course, pace, slices: createSlices(3_000), now: Date.now, stopping: () => false },
      allowance: async () => ({ dayRemaining: 4_000, minuteLimit: 60 }),
    },
    async () => {
      sendsAt = Math.max(Date.now(), sendsAt + 1_000);
      await passing(sendsAt - Date.now());
      await passing(answerMs);
    },
  );
  for (;;) {
    await launcher.fill(true);
    if (launcher.flights.count === 0) return Date.now() - began;
    const flight = await launcher.flights.take();
    if (!flight) continue;
    course.moveTo(flight.offset + 100, flight.offset, 100);
    launcher.ahead(flight.offset + 100);
    await passing(8);
  }
}

// Temporal gives an activity five minutes.
test.each([1_000, 3_900, 4_500, 5_000, 20_000])('a slice ends where each answer takes %i ms', async (answerMs) => {
  let tookMs = Number.POSITIVE_INFINITY;
  void slice(answerMs).then((ms) => {
    tookMs = ms;
  });
  await vi.advanceTimersByTimeAsync(120_000);
  expect(tookMs).toBeLessThan(100_000);
});
