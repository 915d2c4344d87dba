import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CallPermit, createPermits } from '../../activities/permits.ts';
import { openPool } from '../../storage/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

interface Lane {
  tenant: number;
  freeAt: number;
  permit: CallPermit | null;
  /** How many calls the app had left when it was counted. */
  left: number;
}

const appMinute = 60;
const minutes = 4;

test('When the calls of the whole app are what binds, each organisation has its turn, however many calls one would make', async () => {
  let now = Date.parse('2026-11-22T10:00:00Z');
  const began = now;
  const pool = openPool(database.url, 2, () => {});
  const permits = createPermits({ pool, clientId: 'fair', now: () => now });
  const tenants = Array.from({ length: 5 }, () => randomUUID());
  // The first answers at once and is asked by four calls together; the others take their time. For the second more ask than may
  // be in flight, and are refused again and again: what is not made counts against nobody.
  const lanes: Lane[] = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4].map((tenant) => ({
    tenant,
    freeAt: now,
    permit: null,
    left: appMinute,
  }));
  const latency = ({ tenant }: Lane) => (tenant === 0 ? 100 : 600);
  const made = tenants.map(() => 0);
  let [window, used] = [0, 0];
  try {
    for (; now < began + minutes * 60_000; now += 50) {
      for (const lane of lanes.filter(({ freeAt }) => freeAt <= now)) {
        if (lane.permit) {
          permits.settle(lane.permit, {
            dayRemaining: null,
            minuteRemaining: null,
            appMinuteRemaining: lane.left,
          });
          lane.permit = null;
        }
        const tenantId = tenants[lane.tenant] ?? '';
        const permit = await permits.take({
          ...{ tenantId, quotaReserve: 0, leaves: null },
          ...{ connectionId: randomUUID(), application: 'fair' },
        });
        lane.freeAt = permit.granted ? now + latency(lane) : permit.until;
        if (!permit.granted) continue;
        const minute = Math.floor((now - began) / 60_000);
        if (minute !== window) [window, used] = [minute, 0];
        expect(++used).toBeLessThanOrEqual(appMinute);
        lane.permit = permit;
        lane.left = appMinute - used;
        // What the first minute gave, before anybody had to wait, is no question of turns.
        if (minute > 0) made[lane.tenant] = (made[lane.tenant] ?? 0) + 1;
      }
    }
  } finally {
    await pool.end();
  }
  const total = made.reduce((sum, each) => sum + each, 0);
  expect(total).toBeGreaterThan(0.9 * (minutes - 1) * appMinute);
  for (const each of made) expect(each).toBeGreaterThan((0.8 * total) / tenants.length);
});
