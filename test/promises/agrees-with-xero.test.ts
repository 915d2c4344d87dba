import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPermits } from '../../activities/permits.ts';
import { createReconciliations } from '../../client/reconciliations.ts';
import type { Certificate, ReconcileResult } from '../../model/reconciliation.ts';
import { allowApplication, denyApplication, findConnection } from '../../storage/connections.ts';
import { daybook } from '../support/daybook.ts';
import { drawSeed } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

describe('What is stored agrees with Xero’s own trial balance, or the difference is shown account by account', () => {
  let stand: Stand;
  const seed = drawSeed('agrees with Xero');
  beforeAll(async () => {
    const yearEnd = { day: 29, month: 2 };
    stand = await startStand({
      sandbox: {
        organisations: [{ journals: 900, seed, yearEnd }],
        limits: { minute: 10_000, dayAnchor: 'firstCall' },
      },
    });
    booksOf().append({
      lines: [
        { account: '498', net: '10.00' },
        { account: '091', net: '-10.00' },
      ],
    });
    await stand.importJournals();
  });
  afterEach(() => {
    booksOf().reportDifferences = {};
  });
  afterAll(() => stand.close());

  const sql = async (text: string, values: unknown[] = []) => (await stand.database.pool.query(text, values)).rows;
  const booksOf = () => stand.organisation.books;

  async function end(filters: object = {}) {
    const workflowId = uniqueName('reconcile');
    const args = [{ connection: stand.connection, application, ...filters }];
    const { client } = stand.temporal;
    await client.workflow.start('reconcileLedger', { taskQueue: stand.taskQueue, workflowId, args });
    return createReconciliations(client, stand.taskQueue).ending(workflowId);
  }
  async function reconcile(filters: object = {}): Promise<ReconcileResult & { certificate: Certificate }> {
    const ending = await end(filters);
    if (!ending.ok || ending.result.certificate === null) throw new Error(JSON.stringify(ending));
    return { ...ending.result, certificate: ending.result.certificate };
  }
  const told = ({ unexplained }: Certificate) =>
    unexplained.map(({ code, name, unexplained: open }) => [code ?? name, open]);

  interface Line {
    journal_id: string;
    line_index: number;
    number: number;
  }
  /** Adds to a line by hand for as long as `work` takes. */
  async function whileChanged<T>(line: Line, by: string, work: () => Promise<T>): Promise<T> {
    const add = (amount: string) =>
      sql(`update xero.journal_line set net_amount = net_amount + $3 where journal_id = $1 and line_index = $2`, [
        line.journal_id,
        line.line_index,
        amount,
      ]);
    await add(by);
    try {
      return await work();
    } finally {
      await add(`-${by}`);
    }
  }
  async function lineOn(code: string, when: string): Promise<Line> {
    const [line] = await sql(
      `select l.journal_id, l.line_index, j.journal_number::int as number
         from xero.journal_line l join xero.journal j using (tenant_id, basis, journal_id)
        where account_code = $1 and basis = 'accrual' and ${when} limit 1`,
      [code],
    );
    return line;
  }

  test('clean on the day and on earlier ones, over ends of the financial year, by one call each', async () => {
    const [{ first, last }] = await sql(
      `select min(journal_date)::text as first, max(journal_date)::text as last from xero.journal`,
    );
    const dates = ['2024-02-29', '2025-02-28', '2025-03-01', '2026-02-28', '2026-03-01', first, last];
    for (const date of [undefined, ...dates.filter((each) => each >= first)]) {
      stand.sandbox.calls.reset();
      const { outcome, certificate } = await reconcile(date === undefined ? {} : { date });
      expect([date, outcome, told(certificate)]).toEqual([date, 'clean', []]);
      expect(certificate).toMatchObject({
        covers: { journals: booksOf().count },
        newestInXero: null,
        differing: { explained: 0 },
      });
      expect(stand.sandbox.calls.all().filter(({ path }) => path.startsWith('/api.xro')).length).toBe(1);
    }
    const [stored] = await sql(
      `select count(*)::int as certificates, bool_and(clean) as clean, bool_and(unbroken_through = last_journal) as unbroken,
              bool_and(accounts = (select count(*) from daybook.reconciliation_account a where a.run_id = r.run_id)) as whole
         from daybook.reconciliation r`,
    );
    expect(stored).toMatchObject({ clean: true, unbroken: true, whole: true });
    expect(stored.certificates).toBeGreaterThan(4);
  });

  test('the cash ledger is compared with the cash report', async () => {
    await stand.importJournals({ basis: 'cash' });
    expect(await reconcile({ basis: 'cash' })).toMatchObject({ outcome: 'clean', certificate: { basis: 'cash' } });
  });

  test('a line changed in Postgres by hand: the account, the amount and the journal are named, wherever it is', async () => {
    const lines = await sql(
      `select distinct on (l.account_id) l.journal_id, l.line_index, a.code, a.name, j.journal_number::int as number
         from xero.journal_line l join xero.journal j using (tenant_id, basis, journal_id)
         join xero.account a using (tenant_id, account_id)
        where basis = 'accrual' and j.journal_date > (select max(journal_date) - 30 from xero.journal)
        order by l.account_id, j.journal_number limit 8`,
    );
    expect(lines.length).toBe(8);
    for (const line of lines) {
      const { outcome, certificate, message } = await whileChanged(line, '0.0001', reconcile);
      expect([outcome, told(certificate)]).toEqual(['differs', [[line.code ?? line.name, '-0.0001']]]);
      expect(message).toContain('on 1 of');
      expect(certificate.unexplained[0]?.sentence).toContain(`Journal ${line.number} is stored with`);
    }
    expect(await reconcile()).toMatchObject({ outcome: 'clean' });
  });

  test('income or costs of an earlier year: they stand in retained earnings, and the account is named all the same', async () => {
    const line = await lineOn('200', `j.journal_date < '2026-03-01'`);
    const { certificate } = await whileChanged(line, '7.5', reconcile);
    expect(told(certificate)).toEqual([['960', '-7.50']]);
    expect(certificate.unexplained[0]?.sentence).toContain(`Journal ${line.number} is stored with`);
    expect(certificate.unexplained[0]?.sentence).toContain('on 200 Sales');
  });

  test('what no journal carries is explained, apart from what nothing explains', async () => {
    booksOf().reportDifferences = {
      unrealised: '55.10',
      conversion: { 610: '1000.00', 200: '-300.00', 900: '-200.00' },
    };
    const { outcome, certificate, message } = await reconcile();
    expect([outcome, told(certificate)]).toEqual(['clean', []]);
    expect(message).toContain('with an explained difference');
    const explained = Object.fromEntries(certificate.explained.map((each) => [each.code, each]));
    expect(explained[610]).toMatchObject({
      difference: '1055.10',
      conversionBalance: '1000.00',
      currencyRevaluation: '55.10',
    });
    expect(explained[498]).toMatchObject({
      currencyRevaluation: '-55.10',
      sentence: expect.stringContaining('unrealised'),
    });
    expect(explained[840]).toMatchObject({ conversionBalance: '-500.00' });

    for (const code of ['610', '498', '200']) {
      const wrong = await whileChanged(await lineOn(code, `j.journal_date >= '2026-03-01'`), '7.5', reconcile);
      expect([wrong.outcome, told(wrong.certificate)]).toEqual(['differs', [[code, '-7.50']]]);
    }
  });

  test('a ledger that is behind says so, and is clean after the next import', async () => {
    // A number taken before the last one's, which becomes visible only after it: the next import finds it, and so does this.
    const late = booksOf().append() + 1;
    booksOf().put(late + 1, {});
    await stand.importJournals();
    expect(await reconcile()).toMatchObject({ outcome: 'clean' });
    booksOf().put(late, {});
    expect(await reconcile()).toMatchObject({ outcome: 'differs', certificate: { newestInXero: late } });
    const newest = booksOf().append();
    const behind = await reconcile();
    expect(behind).toMatchObject({ outcome: 'differs', certificate: { newestInXero: newest } });
    expect(behind.message).toMatch(/The ledger is behind.*Import first/);
    expect(behind.certificate.covers.lastJournal).toBeLessThan(newest);
    await stand.importJournals();
    expect(await reconcile()).toMatchObject({ outcome: 'clean', certificate: { covers: { lastJournal: newest } } });
  });

  test('a wrong request is refused with every problem named, and no call is made', async () => {
    stand.sandbox.calls.reset();
    const wrong = await end({ application: 'nobody', date: '2026-02-30', basis: 'money', from: 1 });
    expect(wrong).toMatchObject({ ok: false, failure: 'InvalidRequest' });
    for (const named of ['date must be a real date', 'basis must be', '"from" is not a field', '"nobody" may not use'])
      expect(wrong).toMatchObject({ message: expect.stringContaining(named) });
    expect(await end({ application: 'nobody' })).toMatchObject({ ok: false, failure: 'ApplicationNotAllowed' });
    expect(await end({ connection: 'nobody' })).toMatchObject({ ok: false, failure: 'UnknownConnection' });
    expect(stand.sandbox.calls.all()).toEqual([]);
  });

  /** Starts one whose day is spent, and lets it wait. */
  async function startSuspended() {
    stand.sandbox.limits.reset();
    stand.sandbox.limits.set({ day: 1, dayWindowSeconds: 5 });
    await reconcile();
    const { client } = stand.temporal;
    const workflowId = uniqueName('reconcile');
    const args = [{ connection: stand.connection, application }];
    await client.workflow.start('reconcileLedger', { taskQueue: stand.taskQueue, workflowId, args });
    const reconciliations = createReconciliations(client, stand.taskQueue);
    await vi.waitFor(
      async () => expect(await reconciliations.waitingFor(workflowId)).toMatch(/daily limit is used up/),
      {
        timeout: 10_000,
        interval: 100,
      },
    );
    stand.sandbox.calls.reset();
    return { ending: () => reconciliations.ending(workflowId) };
  }

  test('a spent day is waited for on a timer, then compared', async () => {
    const { ending } = await startSuspended();
    expect(await ending()).toMatchObject({ ok: true, result: { outcome: 'clean' } });
    expect(stand.sandbox.calls.all().map(({ status }) => status)).toEqual([200]);
  });

  test('an application taken off the list while it waits makes no further call', async () => {
    const { pool } = stand.database;
    const { connectionId = '' } = (await findConnection(pool, stand.connection)) ?? {};
    const { ending } = await startSuspended();
    await denyApplication(pool, connectionId, application);
    // Also at the moment of spending, where the list may have changed since it was read.
    const permits = createPermits({ pool, clientId: 'another', now: Date.now });
    const asker = { connectionId, tenantId: randomUUID(), quotaReserve: 0, leaves: null };
    expect(await permits.take({ ...asker, application })).toMatchObject({ granted: true, open: true, allowed: false });
    expect(await ending()).toMatchObject({ ok: false, failure: 'ApplicationNotAllowed' });
    expect(stand.sandbox.calls.all()).toEqual([]);
    await allowApplication(pool, connectionId, application);
    stand.sandbox.limits.set({ day: 5_000 });
  });

  test('the command: 0 clean, 1 differing, 2 refused; certificates are shown again', async () => {
    const { connection, environment } = stand;
    const command = (...args: string[]) => daybook(['reconcile', ...args], environment);
    const clean = await command('--connection', connection);
    expect(clean).toMatchObject({ code: 0, stdout: expect.stringContaining('agrees with Xero’s trial balance') });
    const line = await lineOn('200', `j.journal_date >= '2026-03-01'`);
    const differing = await whileChanged(line, '1', () => command('--connection', connection, '--json'));
    expect(differing.code).toBe(1);
    const { runId } = JSON.parse(differing.stdout) as ReconcileResult;
    const [shown, refused, unknown, listed] = await Promise.all([
      command('--show', runId),
      command('--connection', connection, '--date', 'soon'),
      command('--show', randomUUID()),
      command('--list'),
    ]);
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/200 Sales: .* -1\.00 is not explained/) });
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('date must be a real date') });
    expect(unknown.code).toBe(2);
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining(runId) });
  });
});
