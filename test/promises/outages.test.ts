import { setTimeout as sleep } from 'node:timers/promises';
import { expect, type TestContext, test } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import type { Progress } from '../../model/run.ts';
import type { Fault } from '../../sandbox/server.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { historiesOf, untilProgress } from '../support/observe.ts';
import { application, startStand } from '../support/stand.ts';

/** A stand whose calls of an endpoint meet these answers of 503, by their number. */
async function open(
  { onTestFinished }: TestContext,
  answers: Record<number, { 'retry-after'?: string }>,
  { path = 'Journals', body = 'Down' } = {},
) {
  const stand = await startStand({ sandbox: { journals: 1_000, seed: 21, limits: { minute: 10_000 } } });
  onTestFinished(stand.close);
  const faults = Object.entries(answers).map(([nth, headers]): Fault => {
    return {
      match: { path, nth: Number(nth) },
      do: { kind: 'answer', status: 503, headers, body },
    };
  });
  stand.sandbox.faults.add(...faults);
  return stand;
}
const isDown = ({ status, waitingFor }: Progress) => status === 'waiting' && /down for a while/.test(waitingFor ?? '');

// They wait nearly all of their time, so they do it together.
test.concurrent('an outage that says how long it will last is waited for on a durable timer, and no call is made before', async (context) => {
  const stand = await open(context, { 3: { 'retry-after': '25' }, 5: { 'retry-after': '4' } });
  const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
  await untilProgress(stand, workflowId, isDown);
  expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  const calls = stand.sandbox.calls.journals();
  const pause = (n: number) => (calls[n]?.at ?? 0) - (calls[n - 1]?.at ?? 0);
  expect(pause(3)).toBeGreaterThanOrEqual(25_000);
  expect(pause(5)).toBeGreaterThanOrEqual(4_000);
  const stored = await summariseLedger(stand.database.pool, stand.organisation.tenantId);
  expect(differences(stored, stand.organisation)).toEqual([]);
}, 90_000);

test.concurrent('a long one of the organisation is waited for past a renewed history, by all its imports, told to look again or not', async (context) => {
  // Trouble after a page ends the first slice; the second hears of the outage, so the history is renewed before it sleeps.
  const stand = await open(context, { 2: {}, 3: { 'retry-after': '120' } }, { body: 'The Organisation is offline' });
  const asked = { connection: stand.connection, application };
  const journals = await stand.imports.startJournals(asked);
  await untilProgress(stand, journals.workflowId, isDown);
  expect(await historiesOf(stand, journals.workflowId, journals.runId)).toHaveLength(2);
  const invoices = await stand.imports.startInvoices(asked);
  await untilProgress(stand, invoices.workflowId, isDown);
  await stand.imports.wake([journals.workflowId, invoices.workflowId]);
  await sleep(2_000);
  for (const { workflowId } of [journals, invoices]) {
    await untilProgress(stand, workflowId, isDown);
    await stand.imports.cancel(workflowId);
    expect(await stand.imports.ending(workflowId)).toMatchObject({ result: { outcome: 'cancelled' } });
  }
  expect(stand.sandbox.calls.all().at(-1)).toMatchObject({ path: '/api.xro/2.0/Journals', status: 503 });
}, 60_000);

test.concurrent('one of a single endpoint is waited for by those who need it, after one call, while all others go on', async (context) => {
  const stand = await open(context, { 1: { 'retry-after': '120' } }, { path: 'Invoices' });
  const asked = { connection: stand.connection, application };
  const invoices = await stand.imports.startInvoices(asked);
  await untilProgress(stand, invoices.workflowId, isDown);
  expect(await stand.importJournals()).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  await stand.imports.wake([invoices.workflowId]);
  await sleep(2_000);
  await untilProgress(stand, invoices.workflowId, isDown);
  expect(stand.sandbox.calls.all().filter(({ path }) => path.endsWith('/Invoices'))).toHaveLength(1);
  await stand.imports.cancel(invoices.workflowId);
  expect(await stand.imports.ending(invoices.workflowId)).toMatchObject({ result: { outcome: 'cancelled' } });
}, 60_000);
