import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeNumbers, settleDoubts } from '../../model/doubt.ts';
import { largestJournalId } from '../../model/request.ts';

/** Numbers after an offset, with gaps that may be of any size. */
const page = fc
  .record({
    offset: fc.integer({ min: 0, max: 1_000_000 }),
    steps: fc.array(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 5_000_000 })), {
      minLength: 1,
      maxLength: 100,
    }),
  })
  .map(({ offset, steps }) => {
    let number = offset;
    return { offset, numbers: steps.map((step) => (number += step)) };
  });
const dense = (from: number, count: number, step = 1) => Array.from({ length: count }, (_, k) => from + k * step);

test('what is doubted lies beyond what is believed, and is never more than half of a page and one', () => {
  fc.assert(
    fc.property(page, ({ offset, numbers }) => {
      const { through, doubted } = judgeNumbers(offset, numbers);
      expect([...numbers.filter((number) => number <= (through ?? offset)), ...doubted]).toEqual(numbers);
      expect(doubted.length).toBeLessThanOrEqual(Math.floor(numbers.length / 2) + 1);
    }),
  );
});

test('one number that is far beyond a page is doubted, whichever journal came with it and however far apart the others are', () => {
  const wrongOnes = fc.record({
    ...{ step: fc.integer({ min: 1, max: 50 }), count: fc.integer({ min: 2, max: 100 }) },
    ...{ at: fc.nat(99), wrong: fc.integer({ min: 1_000_000, max: largestJournalId }) },
  });
  fc.assert(
    fc.property(wrongOnes, ({ step, count, at, wrong }) => {
      const numbers = dense(4_001, count, step).filter((_, index) => index !== at % count);
      const { through, doubted } = judgeNumbers(4_000, [...numbers, wrong]);
      expect(doubted).toEqual([wrong]);
      expect(through).toBe(numbers.at(-1));
    }),
  );
});

describe('what costs no further call', () => {
  test.each<[string, number, number[]]>([
    ['dense numbers', 0, dense(1, 100)],
    ['sparse ones, as far apart as one another', 0, dense(50_000, 100, 50_000)],
    ['a gap of two pages', 0, [...dense(1, 99), 299]],
    ['a first journal with a large number', 0, dense(1_000_000, 100)],
    ['the last journal of all, in the overlap', 4_900, [5_000]],
    ['no journal', 5_000, []],
  ])('%s', (_, offset, numbers) => {
    expect(judgeNumbers(offset, numbers)).toEqual({ through: numbers.at(-1) ?? null, doubted: [] });
  });
});

test('a true gap of any size is gone beyond: Xero has journals behind it', () => {
  fc.assert(
    fc.property(page, ({ offset, numbers }) => {
      const [first = 0] = judgeNumbers(offset, numbers).doubted;
      const { through, wrong } = settleDoubts(
        offset,
        numbers,
        numbers.filter((number) => number >= first),
      );
      expect(wrong).toEqual([]);
      expect(through).toBeGreaterThan(offset);
      expect(numbers).toContain(through);
    }),
  );
});

test('a number that Xero has no journal of is wrong, and the page is gone on from the others, or not at all if there are none', () => {
  expect(settleDoubts(0, [...dense(1, 99), 2_000_000_000], [])).toEqual({ through: 99, wrong: [2_000_000_000] });
  expect(settleDoubts(3_999, [2_000_000_000], [])).toEqual({ through: null, wrong: [2_000_000_000] });
  // Beside one that is true, which comes with the next page.
  const [far, wrong] = [1_000_000, 2_000_000_000];
  expect(settleDoubts(0, [...dense(1, 98), far, wrong], [far])).toEqual({ through: 98, wrong: [wrong] });
});
