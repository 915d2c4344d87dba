import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CallPermit, createPermits } from '../../activities/permits.ts';
import { openPool } from '../../storage/pool.ts';
import { seededRandom } from '../support/crash.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

interface Call {
  worker: number;
  permit: CallPermit;
  arrives: number;
  lands: number;
  said: number | null;
}

const minutes = 4;

test('Several workers that read one organisation together make five calls at once and sixty a minute at most, and are never refused', async () => {
  const random = seededRandom('workers of one organisation');
  let now = Date.parse('2026-11-22T10:00:00Z') + Math.floor(random() * 60_000);
  const began = now;
  const pools = Array.from({ length: 3 }, () => openPool(database.url, 2, () => {}));
  const workers = pools.map((pool) => createPermits({ pool, clientId: 'contention', now: () => now }));
  const tenantId = randomUUID();
  const asker = {
    ...{ tenantId, quotaReserve: 0, leaves: null },
    ...{ connectionId: randomUUID(), application: 'contention' },
  };
  // Xero's side: a window of a minute, which began whenever.
  let [window, used, made] = [0, 0, 0];
  const arrive = () => {
    const current = Math.floor(now / 60_000);
    if (current !== window) [window, used] = [current, 0];
    expect(++used).toBeLessThanOrEqual(60);
    made++;
    return 60 - used;
  };
  let flying: Call[] = [];
  const asksFrom = workers.map(() => now);
  try {
    for (; now < began + minutes * 60_000; now += 20) {
      for (const call of flying) {
        if (call.said === null && call.arrives <= now) call.said = arrive();
      }
      const landed = flying.filter(({ lands }) => lands <= now);
      flying = flying.filter(({ lands }) => lands > now);
      // All at once, as processes do: each computes from what it knows, and Postgres says who was first.
      await Promise.all(
        landed.map(({ worker, permit, said }) => {
          workers[worker]?.settle(permit, { dayRemaining: null, minuteRemaining: said, appMinuteRemaining: null });
          return workers[worker]?.written(tenantId);
        }),
      );
      await Promise.all(
        workers.map(async (permits, worker) => {
          if (flying.filter((call) => call.worker === worker).length >= 4 || (asksFrom[worker] ?? 0) > now) return;
          const permit = await permits.take(asker);
          if (!permit.granted) {
            asksFrom[worker] = permit.until;
            return;
          }
          const latency = 400 + random() * 3_000;
          flying.push({ worker, permit, arrives: now + latency * 0.3 * random(), lands: now + latency, said: null });
          expect(flying.length).toBeLessThanOrEqual(5);
        }),
      );
    }
  } finally {
    for (const pool of pools) await pool.end();
  }
  expect(made / minutes).toBeGreaterThan(55);
});
