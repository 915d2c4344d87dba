import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReconciliations } from '../../client/reconciliations.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 900, latencyMs: 100, limits: { minute: 10_000 } } });
  expect(await stand.importJournals()).toMatchObject({ ok: true });
});
afterAll(() => stand.close());

async function reconcile() {
  const reconciliations = createReconciliations(stand.temporal.client, stand.taskQueue);
  const { workflowId } = await reconciliations.start({ connection: stand.connection, application });
  return reconciliations.ending(workflowId);
}

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
