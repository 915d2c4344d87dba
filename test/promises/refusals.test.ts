import { expect, type TestContext, test } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import type { FaultAction } from '../../sandbox/server.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { countEvents, runRows } from '../support/observe.ts';
import { startStand } from '../support/stand.ts';

/** A stand that answers the calls for journals of these numbers so, right behind three in mid-import that found Xero away. */
async function open({ onTestFinished }: TestContext, action: FaultAction, nth: number[]) {
  const stand = await startStand({ sandbox: { journals: 500, seed: 22, limits: { minute: 10_000 } } });
  onTestFinished(stand.close);
  stand.sandbox.faults.add(
    { match: { path: 'Journals', nth: [3, 4, 5] }, do: { kind: 'html503' } },
    { match: { path: 'Journals', nth }, do: action },
  );
  return stand;
}

// They wait for pauses between attempts nearly all of their time, so they do it together.
test.concurrent.for([
  { kind: 'notFound' as const, nth: [6] },
  { kind: 'authenticationUnsuccessful' as const, nth: [6, 7] },
])(
  'a refusal of kind $kind that passes is nothing, also right behind other troubles',
  { timeout: 90_000 },
  async ({ kind, nth }, context) => {
    const stand = await open(context, { kind }, nth);
    const { workflowId, ...ended } = await stand.importJournals();
    expect(ended).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    const [row] = await runRows(stand, workflowId);
    // It has not waited for anybody to reconnect, either.
    expect(await countEvents(stand, workflowId, row?.run_id ?? '')).toMatchObject({ timers: 0 });
    const stored = await summariseLedger(stand.database.pool, stand.organisation.tenantId);
    expect(differences(stored, stand.organisation)).toEqual([]);
  },
);

test.concurrent('trouble with reference data that passes leaves none of it out, also right behind other troubles', async (context) => {
  const stand = await open(context, { kind: 'html503' }, []);
  stand.sandbox.faults.add({ match: { path: 'Accounts', nth: [1, 2] }, do: { kind: 'html503' } });
  const { workflowId, ...ended } = await stand.importJournals();
  expect(ended).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  expect((await runRows(stand, workflowId)).at(-1)?.message).not.toMatch(/not complete/);
  const { rows } = await stand.database.pool.query('select count(*)::int as n from xero.account');
  expect(rows).toEqual([{ n: stand.organisation.books.chart.all.length }]);
}, 90_000);

test.concurrent('one that stays ends the import once it was asked for three times, whatever came before', async (context) => {
  const stand = await open(context, { kind: 'notFound' }, [6, 7, 8, 9, 10]);
  expect(await stand.importJournals()).toMatchObject({ ok: false, failure: 'RefusedByXero' });
  expect(stand.sandbox.calls.journals()).toHaveLength(8);
}, 90_000);
