import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Chart, Course } from '../../model/course.ts';
import { nextOffset } from '../../model/lanes.ts';
import { drawSeed } from '../support/observe.ts';

/** A feed of which nothing is stored yet. */
const unknown: Chart = { range: { startingAt: 1, endingAt: null }, storedThrough: 0, dense: false, reaches: [] };

/** Reads a feed of numbers to its end, several calls in flight, and answers what was stored by how many calls. */
function read(
  feed: number[],
  lanesAt: (page: number) => number,
  pageSize: (offset: number) => number,
  chart: Chart = unknown,
) {
  const page = (offset: number) => {
    const from = feed.findIndex((n) => n > offset);
    return from < 0 ? [] : feed.slice(from, from + Math.max(1, pageSize(offset)));
  };
  const course = new Course(chart, 0);
  let passed = 0;
  const stored = new Set<number>();
  const flights: number[] = [];
  let calls = 0;
  const next = () => nextOffset(course.cursor, flights, course.stride);
  for (let turns = 0; turns < 10_000; turns++) {
    while (flights.length < lanesAt(turns) && course.isWorthACall(next(), flights.length)) flights.push(next());
    const offset = flights.shift();
    if (offset === undefined) return { stored, calls };
    const rows = page(offset);
    calls++;
    const sighted = { count: rows.length, lastNumber: rows.at(-1) ?? null };
    if (sighted.lastNumber === null) course.endAt(offset);
    if (course.isPastEnd) return { stored, calls };
    const place = course.placeOf(offset, sighted);
    if (place === 'tooFar') {
      flights.unshift(course.cursor, offset);
      calls--;
    } else if (place === 'next') {
      if (sighted.lastNumber === null) return { stored, calls };
      const through = course.reachOf(sighted.lastNumber);
      expect(through).toBeGreaterThan(course.cursor);
      for (const n of rows) stored.add(n);
      // The watermark's promise: whatever the feed has up to the cursor is stored.
      course.moveTo(through, offset, rows.length);
      for (; (feed[passed] ?? Number.POSITIVE_INFINITY) <= through; passed++) {
        if (!stored.has(feed[passed] ?? 0))
          throw new Error(`${feed[passed]} is behind the cursor ${through} and not stored`);
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
      fc.option(fc.integer({ min: 1, max: 5_000 })),
      fc.integer({ min: 0, max: 5_000 }),
      (feed, lanes, sizes, endingAt, storedThrough) => {
        const { stored } = read(
          feed,
          (page) => lanes[page % lanes.length] ?? 1,
          (offset) => (sizes.length === 0 ? 100 : (sizes[offset % sizes.length] ?? 100)),
          { ...unknown, range: { startingAt: 1, endingAt }, storedThrough },
        );
        expect(feed.filter((n) => n <= (endingAt ?? n) && !stored.has(n))).toEqual([]);
      },
    ),
    { numRuns: 300, seed: drawSeed('feeds') },
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

test('a call is worth it where something may be, and a further one where a page is likely', () => {
  const course = new Course({ ...unknown, range: { startingAt: 1, endingAt: 900 }, storedThrough: 300 }, 0);
  const isWorthIt = (offset: number, inFlight = 1) => course.isWorthACall(offset, inFlight);
  expect([isWorthIt(0, 0), isWorthIt(200), isWorthIt(300)]).toEqual([true, true, false]);
  // A full page of what is stored already tells nothing of what lies behind that.
  course.moveTo(300, 200, 100);
  expect([isWorthIt(300, 0), isWorthIt(400)]).toEqual([true, false]);
  course.moveTo(400, 300, 100);
  expect([isWorthIt(500), isWorthIt(899), isWorthIt(900)]).toEqual([true, true, false]);
  // Behind a page that is not full there may be nothing.
  course.moveTo(450, 400, 50);
  expect([isWorthIt(450, 0), isWorthIt(550)]).toEqual([true, false]);
  course.endAt(550);
  course.endAt(700);
  expect([isWorthIt(549, 0), isWorthIt(550, 0)]).toEqual([true, false]);
  expect([course.isPastEnd, course.reachOf(880), course.reachOf(1_000)]).toEqual([false, 880, 900]);
  course.moveTo(900, 850, 100);
  expect([course.isPastEnd, course.pages]).toEqual([true, 4]);
});
