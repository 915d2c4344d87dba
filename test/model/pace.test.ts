import { expect, test } from 'vitest';
import { Pace } from '../../model/pace.ts';

function paceOf(answerMs: number, storeMs: number): Pace {
  const pace = new Pace();
  for (let page = 0; page < 50; page++) {
    pace.answered(answerMs);
    pace.stored(storeMs);
  }
  return pace;
}

test('as many calls in flight as bring pages as fast as they are stored', () => {
  expect([1, 6, 7.5].map((answerMs) => paceOf(answerMs, 6).lanes)).toEqual([1, 1, 1]);
  expect([8, 12, 26, 60].map((answerMs) => paceOf(answerMs, 6).lanes)).toEqual([2, 2, 5, 10]);
  expect(paceOf(4_000, 0).lanes).toBe(Number.POSITIVE_INFINITY);
});

test('one where nothing is known, and a single slow answer or page changes little', () => {
  expect(new Pace().lanes).toBe(1);
  const unstored = new Pace();
  unstored.answered(4_000);
  expect([unstored.lanes, unstored.latencyMs]).toEqual([1, 4_000]);
  const slowOnce = paceOf(20, 6);
  slowOnce.stored(30);
  expect(slowOnce.lanes).toBe(2);
  slowOnce.answered(60);
  expect(slowOnce.lanes).toBe(3);
});
