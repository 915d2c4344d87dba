import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createShares } from '../../model/shares.ts';

const start = Date.parse('2026-11-22T10:00:00Z');

test('while nobody is refused, whoever asks may have all there is', () => {
  const shares = createShares();
  for (let call = 0; call < 100; call++) {
    expect(shares.allowedFrom('a', 60, start + call)).toBe(start + call);
    shares.had('a', start + call);
  }
});

test('once one was, the modest have what they want and the others equal parts of the rest', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 20, max: 200 }),
      fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 2, maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (limit, modest, hungry) => {
        const shares = createShares();
        for (const [index, calls] of modest.entries())
          for (let call = 0; call < calls; call++) shares.had(`modest ${index}`, start);
        for (let index = 0; index < hungry; index++) shares.refused(`hungry ${index}`, start);
        const had = Array.from({ length: hungry }, (_, index) => {
          for (let calls = 0; ; calls++) {
            if (shares.allowedFrom(`hungry ${index}`, limit, start) > start || calls >= limit) return calls;
            shares.had(`hungry ${index}`, start);
          }
        });
        const [least, most] = [Math.min(...had), Math.max(...had)];
        expect(most - least).toBeLessThanOrEqual(1);
        // Nobody has less than an equal part, and what the modest leave is used up to what cannot be divided.
        const all = modest.length + hungry;
        expect(least).toBeGreaterThanOrEqual(Math.max(1, Math.floor(limit / all)));
        const total = (share: number) => modest.reduce((sum, each) => sum + Math.min(each, share), hungry * share);
        expect(total(most + 1)).toBeGreaterThan(Math.min(limit, total(limit)) - (hungry === 1 ? 1 : 0));
        if (least > 1) expect(total(least)).toBeLessThanOrEqual(limit);
      },
    ),
    { numRuns: 300 },
  );
});

test('a minute after the last refusal all may have what they want again', () => {
  const shares = createShares();
  shares.refused('a', start);
  shares.refused('b', start);
  for (let call = 0; call < 30; call++) shares.had('a', start);
  expect(shares.allowedFrom('a', 60, start)).toBe(start + 60_000);
  expect(shares.allowedFrom('a', 60, start + 60_000)).toBe(start + 60_000);
});
