import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callOn, kinds, minuteMs, start, xeroMinute } from './xero-minute.ts';

/** How often each call in flight is refused at most. Where a minute slides, the calls made before the fall go on counting. */
const mostRefusals = { fixed: 1, 'begun by a call': 1, sliding: 2 };

test.each(kinds)(
  'a limit that falls to sixty costs one refusal of what is in flight, not one a minute from then on: %s',
  (kind) => {
    fc.assert(
      fc.property(
        fc.record({
          anchor: fc.integer({ min: 0, max: minuteMs - 1 }),
          limit: fc.integer({ min: 61, max: 2_500 }),
          lanes: fc.integer({ min: 1, max: 5 }),
          latency: fc.integer({ min: 20, max: 3_000 }),
          fallsAt: fc.integer({ min: start + minuteMs, max: start + 3 * minuteMs }),
        }),
        ({ anchor, limit, lanes, latency, fallsAt }) => {
          const xero = xeroMinute(kind, anchor, (at) => (at < fallsAt ? limit : 60));
          let refused = 0;
          callOn(
            xero,
            lanes,
            13,
            () => [latency, 0.3],
            () => refused++,
          );
          expect(refused).toBeLessThanOrEqual(mostRefusals[kind] * lanes);
        },
      ),
      { numRuns: 60 },
    );
  },
  60_000,
);

// Where a minute slides an answer shows what nobody has used of late, so that it costs a few calls of each minute until an idle one.
test.each(kinds)(
  'one that stays high is used again after others have spent a minute of it: %s',
  (kind) => {
    for (const limit of [90, 600, 2_500]) {
      const xero = xeroMinute(kind, 20_000, limit);
      const [theyCome, settled, minutes] = [start + 3.5 * minuteMs, start + 6 * minuteMs, 11];
      let theirs = 0;
      let made = 0;
      const shared = {
        ...xero,
        arrive(at: number) {
          while (at > theyCome && theirs < limit) {
            xero.arrive(at);
            theirs++;
          }
          if (at > settled) made++;
          return xero.arrive(at);
        },
      };
      let refused = 0;
      callOn(
        shared,
        5,
        minutes,
        () => [100, 0.3],
        () => refused++,
      );
      expect(refused).toBeGreaterThan(0);
      expect(made / (minutes - 6)).toBeGreaterThan((kind === 'sliding' ? 0.95 : 0.98) * limit);
    }
  },
  60_000,
);
