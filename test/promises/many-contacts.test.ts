import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

const contacts = 14_000;
const pages = contacts / 1_000;
let stand: Stand;
const workers: TestProcess[] = [];
beforeEach(async () => {
  const organisations = [{ journals: 150, contacts }];
  stand = await startStand({ worker: false, sandbox: { organisations, seed: 19, limits: { minute: 10_000 } } });
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.kill9()));
  await stand.close();
});

async function startWorker() {
  const worker = runProcess('bin/daybook.mjs', {
    args: ['worker'],
    env: { ...stand.environment, DAYBOOK_LOG_LEVEL: 'info' },
  });
  workers.push(worker);
  await worker.line(/the worker is ready/, 60_000);
  return worker;
}
const asked = () => stand.sandbox.calls.all().filter(({ path }) => path.endsWith('/Contacts')).length;
const stored = async () => (await stand.database.pool.query('select count(*)::int as n from xero.contact')).rows[0]?.n;

/** Two contacts that are not in the order of their UpdatedDateUTC, as the first of many pages. */
const outOfOrder = () => {
  const contact = (at: number) => ({
    ContactID: crypto.randomUUID(),
    Name: `Of ${at}`,
    ContactStatus: 'ACTIVE',
    UpdatedDateUTC: `/Date(${at}+0000)/`,
  });
  const pagination = { page: 1, pageSize: 1_000, pageCount: pages, itemCount: contacts };
  return JSON.stringify({ pagination, Contacts: [contact(1_700_000_100_000), contact(1_700_000_000_000)] });
};

test.each([
  ['in their order', [], contacts],
  // What its page 1 would have had is not asked for any more.
  ['out of it, by page number', [outOfOrder], contacts - 1_000 + 2],
])(
  'many contacts, %s: a worker that is told to stop asks for no more, and the next goes on behind the last page stored',
  async (_, firsts, found) => {
    for (const body of firsts)
      stand.sandbox.faults.add({
        match: { path: 'Contacts', nth: 1 },
        do: { kind: 'answer', status: 200, body: body(), headers: { 'content-type': 'application/json' } },
      });
    stand.sandbox.faults.add({ match: { path: 'Contacts' }, do: { kind: 'delay', ms: 1_000 } });
    const worker = await startWorker();
    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
    await vi.waitFor(() => expect(asked()).toBeGreaterThanOrEqual(3), { timeout: 40_000, interval: 20 });
    const before = asked();
    expect(await worker.end('SIGTERM')).toBe(0);
    // The one in flight, and one that was on its way when the signal came.
    expect(asked()).toBeLessThanOrEqual(before + 2);
    expect(asked()).toBeLessThan(pages);
    stand.sandbox.faults.clear();
    await startWorker();
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(await stored()).toBe(found);
    // Keyset pages overlap by a second; nothing is begun anew.
    expect(asked()).toBeLessThanOrEqual(pages + 2);
  },
  150_000,
);
