import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cursorBefore, isPastEnd, overlap, startingPoint } from '../../model/cursor.ts';

describe('where a run begins', () => {
  test('without filters: at the watermark less the overlap, and it moves the watermark', () => {
    expect(startingPoint({}, 0)).toEqual({ range: { startingAt: 1, endingAt: null }, cursor: 0, movesWatermark: true });
    expect(startingPoint({}, 5_000).cursor).toBe(5_000 - overlap);
    // Xero takes no larger offset, whatever a wrong number has made of the watermark.
    expect(startingPoint({}, Number.MAX_SAFE_INTEGER).cursor).toBe(2_147_483_647 - overlap);
    expect(startingPoint({ full: true }, 5_000)).toMatchObject({ cursor: 0, movesWatermark: true });
  });

  test('with a filter: where the filter says, and it leaves the watermark alone', () => {
    expect(startingPoint({ startingAtJournalId: 101, endingAtJournalId: 250 }, 5_000)).toEqual({
      range: { startingAt: 101, endingAt: 250 },
      cursor: 100,
      movesWatermark: false,
    });
    expect(startingPoint({ endingAtJournalId: 250 }, 5_000)).toMatchObject({ cursor: 0, movesWatermark: false });
    expect(startingPoint({ modifiedSince: '2026-07-01' }, 5_000)).toMatchObject({
      cursor: null,
      movesWatermark: false,
    });
  });
});

test('reading after a search begins before what was found, and never before the first journal wanted', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (found, startingAt) => {
      const cursor = cursorBefore(found, { startingAt, endingAt: null });
      expect(cursor).toBeGreaterThanOrEqual(startingAt - 1);
      if (found >= startingAt) expect(cursor).toBeLessThan(found);
    }),
  );
});

test('a run is over when the last journal wanted is read, and never by itself when none is named', () => {
  expect(isPastEnd(249, { startingAt: 1, endingAt: 250 })).toBe(false);
  expect(isPastEnd(250, { startingAt: 1, endingAt: 250 })).toBe(true);
  expect(isPastEnd(Number.MAX_SAFE_INTEGER, { startingAt: 1, endingAt: null })).toBe(false);
});
