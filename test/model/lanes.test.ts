import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isPromising,
  isSliceOver,
  lanesFor,
  mostLanes,
  mostLanesAlone,
  nextOffset,
  pagesRemembered,
  placeOf,
  sliceFor,
  strideFor,
} from '../../model/lanes.ts';

describe('how many pages are in flight', () => {
  const paced = { dayRemaining: null, minuteLimit: 60 };

  test.each([
    [200, 1],
    [900, 1],
    [1_000, 2],
    [1_500, 2],
    [2_000, 3],
    [4_000, 4],
    [60_000, mostLanes],
  ])('at %i ms an answer, %i reach sixty calls a minute', (latencyMs, lanes) => {
    for (const pages of [0, 10_000]) expect(lanesFor(latencyMs, paced, pages)).toBe(lanes);
  });

  test('a fifth where four are too few and nobody else imports from the organisation', () => {
    expect(lanesFor(3_500, paced, 0, mostLanesAlone)).toBe(4);
    expect(lanesFor(4_000, paced, 0, mostLanesAlone)).toBe(5);
    expect(lanesFor(60_000, paced, 0, mostLanesAlone)).toBe(5);
  });

  test('one where the day’s calls are scarce', () => {
    expect(lanesFor(4_000, { ...paced, dayRemaining: 59 }, 0)).toBe(1);
    expect(lanesFor(4_000, { ...paced, dayRemaining: 60 }, 0)).toBe(4);
    expect(lanesFor(4_000, { minuteLimit: null, dayRemaining: 59 }, 10_000)).toBe(1);
  });

  test('more where a larger limit, or none, leaves room, each for a hundred pages that have come', () => {
    const free = { dayRemaining: null, minuteLimit: null };
    expect([0, 99, 100, 200, 300, 10_000].map((pages) => lanesFor(50, free, pages))).toEqual([1, 1, 2, 3, 4, 4]);
    expect(lanesFor(0, free, 99)).toBe(1);
    // Six hundred a minute are ten a second.
    const larger = { ...free, minuteLimit: 600 };
    expect([50, 100, 200, 1_000].map((latencyMs) => lanesFor(latencyMs, larger, 10_000))).toEqual([1, 2, 3, 4]);
    expect(lanesFor(2_000, larger, 0)).toBe(3);
  });
});

test('a further call is worth it behind a full page of news, or where something is stored already', () => {
  expect(isPromising(500, 0, true)).toBe(true);
  expect(isPromising(500, 0, false)).toBe(false);
  expect(isPromising(500, 501, false)).toBe(true);
  expect(isPromising(500, 500, false)).toBe(false);
});

/** Reads a feed of numbers the way a run does, and answers in which order what was stored. */
function read(feed: number[], lanesAt: (page: number) => number, pageSize: (offset: number) => number) {
  const page = (offset: number) => {
    const from = feed.findIndex((n) => n > offset);
    return from < 0 ? [] : feed.slice(from, from + Math.max(1, pageSize(offset)));
  };
  let passed = 0;
  const stored = new Set<number>();
  const flights: number[] = [];
  let reaches: number[] = [];
  let cursor = 0;
  let calls = 0;
  for (let pages = 0; pages < 10_000; pages++) {
    while (flights.length < lanesAt(pages)) flights.push(nextOffset(cursor, flights, strideFor(reaches)));
    const offset = flights.shift() ?? cursor;
    const rows = page(offset);
    calls++;
    const last = rows.at(-1) ?? null;
    const place = placeOf(offset, last, cursor);
    if (place === 'tooFar') {
      flights.unshift(cursor, offset);
      calls--;
    } else if (place === 'next') {
      if (last === null) return { stored, calls };
      expect(last).toBeGreaterThan(cursor);
      for (const n of rows) stored.add(n);
      if (rows.length === 100) reaches = [...reaches, last - offset].slice(-pagesRemembered);
      // The watermark's promise: whatever the feed has up to the cursor is stored.
      cursor = last;
      for (; (feed[passed] ?? Number.POSITIVE_INFINITY) <= cursor; passed++) {
        if (!stored.has(feed[passed] ?? 0))
          throw new Error(`${feed[passed]} is behind the cursor ${cursor} and not stored`);
      }
    }
  }
  throw new Error('reading never ended');
}

const gappyFeed = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 600 }).map((gaps) => {
  let number = 0;
  return gaps.map((gap) => (number += gap < 36 ? 1 : gap));
});

test('no number is left out, however the pages overlap, wherever gaps lie, and also when pages are short', () => {
  fc.assert(
    fc.property(
      gappyFeed,
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 }),
      fc.array(fc.integer({ min: 1, max: 100 })),
      (feed, lanes, sizes) => {
        const { stored } = read(
          feed,
          (page) => lanes[page % lanes.length] ?? 1,
          (offset) => (sizes.length === 0 ? 100 : (sizes[offset % sizes.length] ?? 100)),
        );
        expect(stored.size).toBe(feed.length);
      },
    ),
    { numRuns: 100 },
  );
});

test('on dense numbers less than one call in a hundred is wasted', () => {
  const feed = Array.from({ length: 50_000 }, (_, index) => index + 1);
  expect(
    read(
      feed,
      () => 4,
      () => 100,
    ).calls,
  ).toBeLessThanOrEqual(501 * 1.01);
});

/** Seeded, so that a feed is the same in each run. */
function sparse(gapUpTo: number): number[] {
  let number = 0;
  let state = 7;
  return Array.from({ length: 20_000 }, () => {
    state = (state * 48_271) % 2_147_483_647;
    number += 1 + (state % gapUpTo);
    return number;
  });
}

test.each([
  ['each tenth number', Array.from({ length: 20_000 }, (_, index) => index * 10 + 1), 1.08],
  ['each second number', Array.from({ length: 20_000 }, (_, index) => index * 2 + 1), 1.08],
  ['one to three apart', sparse(3), 1.2],
  ['one to ten apart', sparse(10), 1.2],
  ['dense, then sparse', [...Array(5_000).keys(), ...sparse(10).map((n) => n + 4_999)].map((n) => n + 1), 1.2],
])('on sparse numbers calls stay near one at a time: %s', (_, feed, most) => {
  const oneAtATime = feed.length / 100 + 1;
  const inFour = read(
    feed,
    () => 4,
    () => 100,
  );
  expect(inFour.stored.size).toBe(feed.length);
  expect(inFour.calls / oneAtATime).toBeLessThan(most);
});

test('a slice is as long as was said, some rounds where answers are slow, and one page where nothing was', () => {
  expect(sliceFor(3_000, 200)).toBe(3_000);
  expect(sliceFor(3_000, 2_000)).toBe(8_000);
  expect(sliceFor(3_000, 3_000)).toBe(24_000);
  expect(sliceFor(3_000, 60_000)).toBe(30_000);
  expect(sliceFor(0, 4_000)).toBe(0);
});

test('a slice with few pages goes on for a while, and one without any for as long as it takes', () => {
  expect(isSliceOver(3_000, 8, 3_000, 200)).toBe(true);
  expect(isSliceOver(3_000, 7, 3_000, 200)).toBe(false);
  expect(isSliceOver(3_000, 1, 3_000, 200)).toBe(false);
  expect(isSliceOver(30_000, 1, 3_000, 200)).toBe(true);
  expect(isSliceOver(60_000, 0, 3_000, 200)).toBe(false);
  expect(isSliceOver(0, 1, 0, 4_000)).toBe(true);
});
