import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  // One page an activity, but where two are compared.
  stand = await startStand({ sliceMs: 0, sandbox: { journals: 150, limits: { minute: 10_000 } } });
});
afterAll(() => stand.close());

/** Answers each call for a resource with one list, whatever page it is asked for, under an Id of the call's own. */
function answerAlways(path: string, rows: object[]): void {
  const headers = { 'content-type': 'application/json' };
  for (let call = 1; call <= 30; call++) {
    const body = JSON.stringify({ Id: randomUUID(), Status: 'OK', [path]: rows });
    stand.sandbox.faults.add({ match: { path, nth: call }, do: { kind: 'answer', status: 200, headers, body } });
  }
}

const asked = (path: string) => stand.sandbox.calls.all().filter((call) => call.path.endsWith(`/${path}`)).length;
const dated = (at: number) => ({ UpdatedDateUTC: `/Date(${1_700_000_000_000 + at}+0000)/` });
const invoice = (at: number) => ({
  ...{ InvoiceID: randomUUID(), Type: 'ACCREC', Status: 'AUTHORISED', Total: 1 },
  ...{ Date: '/Date(1700000000000+0000)/', Contact: { ContactID: randomUUID(), Name: 'One' }, LineItems: [] },
  ...dated(at),
});

test.each([
  ['of one second', [0, 0, 0]],
  ['of several', [0, 60_000, 120_000]],
])('a server that sends all its invoices, %s, for each page ends an import with all of them', async (_, times) => {
  stand.sandbox.faults.clear();
  stand.sandbox.calls.reset();
  const rows = times.map(invoice);
  answerAlways('Invoices', rows);
  expect(await stand.importInvoices({ full: true })).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  const { rows: stored } = await stand.database.pool.query('select invoice_id as id from xero.invoice');
  for (const { InvoiceID: id } of rows) expect(stored).toContainEqual({ id });
  expect(asked('Invoices')).toBeLessThan(12);
});

test('one that sends the same contacts for each page ends nothing, and the run says what is missing', async () => {
  stand.sandbox.faults.clear();
  stand.sandbox.calls.reset();
  await stand.database.pool.query('delete from daybook.reference_position');
  answerAlways('Contacts', [{ ContactID: randomUUID(), Name: 'Same', ContactStatus: 'ACTIVE', ...dated(0) }]);
  const ended = await stand.importJournals({ full: true });
  expect(ended).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  expect(JSON.stringify(ended)).toContain('what it had sent for the one before');
  expect(asked('Contacts')).toBeLessThan(6);
});
