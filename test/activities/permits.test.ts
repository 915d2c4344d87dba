import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createPermits } from '../../activities/permits.ts';
import { openPool } from '../../storage/pool.ts';
import { readLedger } from '../../storage/quota.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const heard = { dayRemaining: 4_000, minuteRemaining: 50, appMinuteRemaining: null };

function worker() {
  const pool = openPool(database.url, 2, () => {});
  const statements: unknown[] = [];
  const counted = Object.assign(Object.create(pool), {
    query: (...query: Parameters<typeof pool.query>) => {
      statements.push((query[0] as { name?: string }).name);
      return pool.query(...query);
    },
  });
  const permits = createPermits({ pool: counted, clientId: 'endings', now: () => Date.now() });
  const tenantId = randomUUID();
  const asker = { tenantId, quotaReserve: 0, leaves: null, application: 'endings' };
  const take = async (connectionId: string = randomUUID(), of = tenantId) => {
    const permit = await permits.take({ ...asker, tenantId: of, connectionId });
    if (!permit.granted) throw new Error(permit.reason);
    return permit;
  };
  const written = (name: string) => statements.filter((each) => each === name).length;
  return {
    permits,
    tenantId,
    take,
    written,
    ledger: () => readLedger(pool, `tenant:${tenantId}`),
    end: () => pool.end(),
  };
}

test('what became of a call is written with the next one: one statement a call', async () => {
  const { permits, take, written, ledger, end } = worker();
  try {
    for (let call = 0; call < 20; call++) {
      const permit = await take();
      permits.settle(permit, { ...heard, dayRemaining: 4_000 - call });
    }
    const last = await take();
    expect([written('spend-call'), written('write-ledger')]).toEqual([21, 0]);
    expect((await ledger()).ledger).toMatchObject({
      sent: 21,
      leases: [{ until: last.call.lease }],
      dayRemaining: 4_000 - 20,
    });
  } finally {
    await end();
  }
});

test('where no call follows it reaches Postgres by itself, for other workers to see', async () => {
  const { permits, take, written, ledger, end } = worker();
  try {
    permits.settle(await take(), heard);
    await vi.waitFor(async () =>
      expect((await ledger()).ledger).toMatchObject({ leases: [], dayRemaining: 4_000, minute: { remaining: 50 } }),
    );
    expect([written('spend-call'), written('write-ledger')]).toEqual([1, 1]);
  } finally {
    await end();
  }
});

test('calls that died with their process hold no place once they are given up, and count as made; those of others do', async () => {
  const { permits, tenantId, take, ledger, end } = worker();
  const [dead, reconciliation] = [randomUUID(), randomUUID()];
  try {
    permits.settle(await take(), { ...heard, minuteRemaining: 59 });
    const alive = await take(reconciliation);
    for (let call = 1; call < 5; call++) await take(dead);
    await expect(take()).rejects.toThrow('concurrent');
    await permits.abandoned(tenantId, dead);
    const left = [{ until: alive.call.lease, holder: reconciliation }];
    expect((await ledger()).ledger).toMatchObject({ leases: left, minute: { remaining: 54 } });
    expect((await ledger()).ledger.minute.counted).toHaveLength(5);
    for (let call = 1; call < 5; call++) await take(dead);
    await expect(take()).rejects.toThrow('concurrent');
  } finally {
    await end();
  }
});

test('a refusal that Postgres did not hear of is written as soon as it does, for other workers to see', async () => {
  const { permits, take, ledger, end } = worker();
  try {
    const permit = await take();
    await database.pool.query('alter table daybook.quota_ledger rename to away');
    await permits.refused(permit, 'minute', 30);
    await database.pool.query('alter table daybook.away rename to quota_ledger');
    const told = { blockedBy: 'minute', leases: [] };
    await vi.waitFor(async () => expect((await ledger()).ledger).toMatchObject(told), { timeout: 5_000 });
  } finally {
    await end();
  }
});

test('a refusal stands against a worker whose last calls Postgres forgot in a crash', async () => {
  const [first, second] = [worker(), worker()];
  const remembered = async (tenantId: string) =>
    (await database.pool.query('select * from daybook.quota_ledger where scope = $1', [`tenant:${tenantId}`])).rows[0];
  try {
    const { tenantId } = first;
    first.permits.settle(await first.take(), heard);
    await first.permits.written(tenantId);
    const durable = await remembered(tenantId);
    // Two more calls, which the crash takes back; the second worker then writes as often, and what it writes is a refusal.
    for (let call = 0; call < 2; call++) first.permits.settle(await first.take(), heard);
    await first.permits.written(tenantId);
    await database.pool.query('update daybook.quota_ledger set version = $2, sent = $3 where scope = $1', [
      durable.scope,
      durable.version,
      durable.sent,
    ]);
    for (let call = 0; call < 2; call++) {
      const permit = await second.take(undefined, tenantId);
      if (call === 1) await second.permits.refused(permit, 'day', 40_000);
      else second.permits.settle(permit, heard);
    }
    await expect(first.take()).rejects.toThrow('day');
  } finally {
    await first.end();
    await second.end();
  }
});

test('what Xero says of an outage holds for all who ask, and is over by itself', async () => {
  const { permits, take, ledger, end } = worker();
  try {
    const permit = await take();
    permits.settle(permit, heard);
    const until = await permits.down(permit, 1);
    expect((await ledger()).ledger).toMatchObject({ blockedUntil: until, blockedBy: 'outage', leases: [] });
    await expect(take()).rejects.toThrow('outage');
    await vi.waitFor(take, { timeout: 3_000 });
    expect(Date.now()).toBeGreaterThanOrEqual(until);
    expect((await ledger()).ledger).toMatchObject({ blockedUntil: null, blockedBy: null });
  } finally {
    await end();
  }
});
