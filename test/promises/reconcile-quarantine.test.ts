import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReconciliations } from '../../client/reconciliations.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 150, seed: 11, limits: { minute: 10_000 } } });
});
afterAll(() => stand.close());

/** The result, and how many calls it took. */
async function reconcile(filters: object = {}) {
  stand.sandbox.calls.reset();
  const { client } = stand.temporal;
  const workflowId = uniqueName('reconcile');
  const args = [{ connection: stand.connection, application, ...filters }];
  await client.workflow.start('reconcileLedger', { taskQueue: stand.taskQueue, workflowId, args });
  const ending = await createReconciliations(client, stand.taskQueue).ending(workflowId);
  if (!ending.ok) throw new Error(JSON.stringify(ending));
  return {
    ...ending.result,
    calls: stand.sandbox.calls.all().filter(({ path }) => path.startsWith('/api.xro')).length,
  };
}

test('what no import can store is named as in quarantine, and nobody is sent to import it', async () => {
  const { books } = stand.organisation;
  books.append({ reference: 'nul\u0000here' });
  books.append({ reference: 'half \ud83d emoji' });
  books.append();
  expect(await stand.importJournals()).toMatchObject({ ok: true, result: { totals: { quarantined: 2 } } });
  const { outcome, certificate, message, calls } = await reconcile();
  expect([outcome, certificate?.newestInXero]).toEqual(['differs', null]);
  expect(certificate?.unexplained.map(({ code, unexplained }) => [code, unexplained])).toEqual([
    ['200', '-200.00'],
    ['610', '200.00'],
  ]);
  expect(message).toContain('2 rows are in quarantine');
  expect(message).not.toContain('Import first');
  // The report, the one before the first journal, and the last page with the empty one behind it.
  expect(calls).toBeLessThanOrEqual(4);
}, 30_000);

test('a journal behind it that is not stored yet is told all the same', async () => {
  const number = stand.organisation.books.append();
  expect(await reconcile()).toMatchObject({
    outcome: 'differs',
    certificate: { newestInXero: number },
    message: expect.stringMatching(new RegExp(`such as ${number}\\. Import first.*2 rows are in quarantine`)),
  });
}, 30_000);

test('a conversion date that is told beside it is not taken at its word, and the message says so', async () => {
  const { message } = await reconcile({ conversionDate: new Date().toISOString().slice(0, 10) });
  expect(message).toMatch(/The conversion date \S+ was not used, as rows are in quarantine/);
}, 30_000);
