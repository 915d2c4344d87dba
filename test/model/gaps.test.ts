import fc from 'fast-check';
import { expect, test } from 'vitest';
import { farthestLook, type Gap, isOpen, secondLook, unsettledMs } from '../../model/gaps.ts';

const gap = fc.record({
  after: fc.integer({ min: 1, max: 20_000 }),
  createdAt: fc.integer({ min: 0, max: 1e9 }),
  lookedAt: fc.integer({ min: 0, max: 2e9 }),
});

test('a run begins where the overlap does or before, at an open gap, and passes over none that is near', () => {
  fc.assert(
    fc.property(fc.array(gap), fc.integer({ min: 100, max: 20_000 }), (gaps, watermark) => {
      const overlapFrom = watermark - 100;
      const from = secondLook(gaps, overlapFrom, watermark);
      expect(from).toBeLessThanOrEqual(overlapFrom);
      expect(from).toBeGreaterThanOrEqual(Math.min(overlapFrom, watermark - farthestLook));
      if (from !== overlapFrom) expect(gaps.some((each) => isOpen(each) && each.after === from)).toBe(true);
      const near = gaps.filter((each) => isOpen(each) && each.after >= watermark - farthestLook);
      expect(near.every(({ after }) => after >= from)).toBe(true);
    }),
  );
});

test('a gap among old journals is natural; a young one is open until it was looked at once it had aged', () => {
  const young: Gap = { after: 4_000, createdAt: 0, lookedAt: unsettledMs - 1 };
  expect(secondLook([young], 4_900, 5_000)).toBe(4_000);
  expect(secondLook([{ ...young, lookedAt: unsettledMs }], 4_900, 5_000)).toBe(4_900);
  expect(secondLook([], 4_900, 5_000)).toBe(4_900);
});
