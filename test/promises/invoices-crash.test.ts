import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawMoments, seededRandom, untilMoment } from '../support/crash.ts';
import { daybook } from '../support/daybook.ts';
import { booksOf, storedInvoices } from '../support/invoices.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

describe('No invoice is lost, doubled or shifted in time, whenever a worker dies and wherever it stands', () => {
  let stand: Stand;
  let worker: TestProcess;
  const startWorker = (TZ: string) =>
    runProcess('bin/daybook.mjs', { args: ['worker'], env: { ...stand.environment, TZ } });
  beforeAll(async () => {
    stand = await startStand({
      sandbox: {
        seed: 6,
        limits: { minute: 100_000, day: 1_000_000 },
        latencyMs: 25,
        organisations: [{ journals: 200, invoices: 2_000, invoicesInOneSecond: 450, invoicesPerPage: 100 }],
      },
      worker: false,
    });
    const name = new URL(stand.database.url).pathname.slice(1);
    await stand.database.pool.query(`alter database ${name} set timezone to 'America/Los_Angeles'`);
    await stand.database.pool.query(`alter database ${name} set datestyle to 'SQL, DMY'`);
    worker = startWorker('Pacific/Auckland');
  });
  afterAll(async () => {
    await worker.kill9();
    await stand.close();
  });

  const dates = async (id: string) =>
    (
      await stand.database.pool.query(
        `select to_char(date, 'YYYY-MM-DD') as date, to_char(due_date, 'YYYY-MM-DD') as due,
                extract(epoch from updated_date_utc)::float8 as updated from xero.invoice where invoice_id = $1`,
        [id],
      )
    ).rows;

  test('kill -9 in the middle of pages: the import goes on by itself, and all of it is there', async () => {
    const { id, updated } = stand.organisation.books.invoices.add({ date: '2026-07-01', dueDate: '1964-01-31' });
    const moments = drawMoments(seededRandom('moments of the kills'), 2, 18);
    const { workflowId } = await stand.imports.startInvoices({ connection: stand.connection, application });
    for (const moment of moments) {
      await untilMoment(stand.database.pool, moment);
      await worker.kill9();
      worker = startWorker('America/Los_Angeles');
    }
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(await storedInvoices(stand)).toEqual(booksOf(stand));
    expect(await dates(id)).toEqual([{ date: '2026-07-01', due: '1964-01-31', updated: updated / 1_000 }]);
  }, 180_000);

  test('from the command line; what cannot be stored is in quarantine word for word, and the rest is stored', async () => {
    const { invoices } = stand.organisation.books;
    invoices.add({ reference: 'a NUL \u0000 in a text' });
    const good = invoices.add({ reference: 'good' });
    const flags = ['--connection', stand.connection, '--application', application];
    const imported = await daybook(['import', 'invoices', ...flags, '--follow'], stand.environment);
    expect(imported).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/, 1 in quarantine \(table daybook\.quarantine\)\. 1 invoice stored/),
    });
    expect(await dates(good.id)).toHaveLength(1);
    const { rows } = await stand.database.pool.query(
      'select stream, invoice_id, reason, payload from daybook.quarantine',
    );
    expect(rows).toMatchObject([{ stream: 'invoices', reason: expect.stringContaining('SQLSTATE 22') }]);
    expect(rows[0].payload).toContain(`"InvoiceID":"${rows[0].invoice_id}"`);
    const wrong = await daybook(['import', 'invoices', ...flags, '--modified-since', 'ever'], stand.environment);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--modified-since') });
    const listed = await daybook(['status'], stand.environment);
    expect(listed.stdout).toMatch(/import-invoices-\S+ +caughtUp .*\d{4}-\d{2}-\d{2}T/);
  }, 60_000);
});
