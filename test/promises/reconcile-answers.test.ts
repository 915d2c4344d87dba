import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReconciliations } from '../../client/reconciliations.ts';
import { untilProgress, untilRow } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 900, latencyMs: 100, limits: { minute: 10_000 } } });
});
afterAll(() => stand.close());

async function reconcile() {
  const reconciliations = createReconciliations(stand.temporal.client, stand.taskQueue);
  const { workflowId } = await reconciliations.start({ connection: stand.connection, application });
  return reconciliations.ending(workflowId);
}

test('a reconciliation on a rhythm is no failure while the first import is under way, and says so', async () => {
  const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
  await untilRow(stand, workflowId, ({ pages }) => pages >= 1);
  await stand.imports.pause(workflowId);
  await untilProgress(stand, workflowId, ({ status }) => status === 'paused');
  const message = expect.stringMatching(/^Not yet: the first import of "\S+" \(import-journals-\S+\) is under way/);
  expect(await reconcile()).toMatchObject({ ok: true, result: { outcome: 'notYet', message, certificate: null } });
  await stand.imports.resume(workflowId);
  expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true });
  expect(await reconcile()).toMatchObject({ ok: true, result: { outcome: 'clean' } });
});

test('an amount of a hundred thousand digits is compared to the last one, and told by the first', async () => {
  const net = '9'.repeat(100_001);
  const lines = [
    { account: '610', net },
    { account: '200', net: `-${net}` },
  ];
  stand.organisation.books.append({ lines });
  const ending = await reconcile();
  expect(ending).toMatchObject({
    ok: true,
    result: { outcome: 'differs', certificate: { differing: { unexplained: 2 } } },
  });
  expect(JSON.stringify(ending)).toContain('9… (100003 digits)');
  expect(JSON.stringify(ending).length).toBeLessThan(10_000);
  const { rows } = await stand.database.pool.query(
    'select max(length(xero_balance::text))::int as digits, max(length(sentence))::int as words from daybook.reconciliation_account',
  );
  expect(rows[0].digits).toBeGreaterThan(100_000);
  expect(rows[0].words).toBeLessThan(1_000);
  // What is stored is what Xero sent.
  expect(await stand.importJournals()).toMatchObject({ ok: true, result: { totals: { quarantined: 0 } } });
  expect(await reconcile()).toMatchObject({ ok: true, result: { outcome: 'clean' } });
});
