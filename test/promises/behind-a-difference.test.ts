import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createReconciliations } from '../../client/reconciliations.ts';
import type { Certificate, ReconcileResult } from '../../model/reconciliation.ts';
import { daybook } from '../support/daybook.ts';
import { drawSeed } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

describe('What is behind a difference from Xero’s trial balance is found out, or said to be unknown', () => {
  let stand: Stand;
  let reconciliations: ReturnType<typeof createReconciliations>;
  const seed = drawSeed('behind a difference');
  beforeAll(async () => {
    stand = await startStand({
      sandbox: {
        organisations: [{ journals: 900, seed }],
        limits: { minute: 10_000, dayAnchor: 'firstCall' },
      },
    });
    reconciliations = createReconciliations(stand.temporal.client, stand.taskQueue);
    expect(await stand.importJournals()).toMatchObject({ ok: true });
  });
  beforeEach(() => stand.sandbox.calls.reset());
  afterEach(() => {
    stand.organisation.books.reportDifferences = {};
    stand.sandbox.limits.reset();
    stand.sandbox.limits.set({ day: 5_000, dayWindowSeconds: 86_400 });
  });
  afterAll(() => stand.close());

  const sql = async (text: string, values: unknown[] = []) => (await stand.database.pool.query(text, values)).rows;

  async function start(filters: object = {}): Promise<string> {
    const workflowId = uniqueName('reconcile');
    const args = [{ connection: stand.connection, application, ...filters }];
    await stand.temporal.client.workflow.start('reconcileLedger', { taskQueue: stand.taskQueue, workflowId, args });
    return workflowId;
  }
  async function reconcile(filters: object = {}): Promise<ReconcileResult & { certificate: Certificate }> {
    const ending = await reconciliations.ending(await start(filters));
    if (!ending.ok || ending.result.certificate === null) throw new Error(JSON.stringify(ending));
    return { ...ending.result, certificate: ending.result.certificate };
  }
  const codes = (differences: Certificate['explained']) => differences.map(({ code }) => code).toSorted();
  const reportCalls = () => stand.sandbox.calls.all().filter(({ path }) => path.includes('/Reports/')).length;

  test('a journal deleted by hand is named by its number; imported again, all is clean', async () => {
    const [{ number, end }] = await sql(
      `select min(journal_number)::int as number, max(journal_number)::int as end from xero.journal
        where journal_number > 300 and journal_date < (select max(journal_date) - 60 from xero.journal)
          -- Income and expenses of an earlier year are not in the report: it can show a journal of a balance sheet's account only.
          and journal_id in (select journal_id from xero.journal_line where account_type in ('BANK', 'CURRENT', 'CURRLIAB')
                              group by journal_id, account_id having sum(net_amount) <> 0)`,
    );
    await sql('delete from xero.journal where journal_number = $1', [number]);
    const { outcome, message } = await reconcile();
    expect(outcome).toBe('differs');
    const [, from = '', to = ''] = /--from (\d+) --to (\d+)/.exec(message) ?? [];
    expect(number >= Number(from) && number <= Number(to) && Number(to) < end).toBe(true);
    // As far as the receipts tell: one number is missing in the page, or Xero's own gaps are there, too.
    const [{ gaps }] = await sql(
      `select count(*)::int as gaps from generate_series($1::int, $2::int) n
        where not exists (select from xero.journal where journal_number = n)`,
      [from, to],
    );
    // Not all are named where there are many.
    const named = `1 of the journals .*(\\b${number}\\b.*| and so on .*) stored once, by the receipt of the page`;
    expect(message).toMatch(gaps === 1 ? `Journal ${number} was stored once` : new RegExp(named));
    expect(
      await stand.importJournals({ startingAtJournalId: Number(from), endingAtJournalId: Number(to) }),
    ).toMatchObject({ ok: true, result: { totals: { stored: 1 } } });
    expect(await reconcile()).toMatchObject({ outcome: 'clean' });
    stand.organisation.books.reportDifferences = { conversion: { 610: '1.00' }, conversionOn: '2025-06-30' };
    expect((await reconcile()).message).not.toContain('stored once');
  });

  test('a line deleted by hand, whose journal is there still, is named by its journal and its amount', async () => {
    const [{ kept, number }] = await sql(
      `delete from xero.journal_line l using xero.journal j
        where j.journal_id = l.journal_id and l.ctid in (
              select ctid from xero.journal_line where account_code = '610' and net_amount <> 0 limit 1)
       returning to_jsonb(l) as kept, j.journal_number as number`,
    );
    const { outcome, certificate } = await reconcile();
    await sql('insert into xero.journal_line select * from jsonb_populate_record(null::xero.journal_line, $1)', [kept]);
    expect([outcome, codes(certificate.unexplained)]).toEqual(['differs', ['610']]);
    const said = `Journal ${number} is stored with no line on 610 Accounts Receivable where Xero sent `;
    expect(certificate.unexplained[0]?.sentence.split(said)[1]).toMatch(
      new RegExp(`^${kept.net_amount}(\\.0+|0*)\\.$`),
    );
    expect(await reconcile()).toMatchObject({ outcome: 'clean' });
  });

  test('a deleted journal that changes no account of the report is missed all the same', async () => {
    // Income and expenses of an earlier year: together they are nothing in retained earnings.
    const found = await sql(
      `select j.journal_number::int as number from xero.journal j join xero.journal_line l using (tenant_id, basis, journal_id)
         join xero.account a using (tenant_id, account_id)
        where j.journal_date < xero.financial_year_start(j.tenant_id, current_date)
        group by j.journal_number having bool_and(a.class in ('REVENUE', 'EXPENSE')) order by 1`,
    );
    const number = found[0]?.number;
    await sql('delete from xero.journal where journal_number = $1', [number]);
    const { outcome, message, certificate } = await reconcile();
    expect([outcome, certificate.differing.unexplained]).toEqual(['differs', 0]);
    expect(message).toMatch(
      new RegExp(`not all that was stored is there any more\\..*(\\b${number}\\b.*| and so on .*) stored once`),
    );
    await stand.importJournals({ startingAtJournalId: number, endingAtJournalId: number });
    expect(await reconcile()).toMatchObject({ outcome: 'clean' });
  });

  test('conversion balances as at a day after the first journal are explained once their date is told', async () => {
    const day = '2025-06-30';
    const conversion = { 610: '1000.00', 200: '-300.00', 960: '-200.00' };
    stand.organisation.books.reportDifferences = { conversion, conversionOn: day };
    expect(await reconcile()).toMatchObject({
      outcome: 'differs',
      message: expect.stringContaining('--conversion-date'),
    });
    for (const date of [undefined, '2026-02-28', '2025-12-31']) {
      stand.sandbox.calls.reset();
      const told = await reconcile({ conversionDate: '2025-07-01', ...(date === undefined ? {} : { date }) });
      expect([date, told.outcome, codes(told.certificate.unexplained)]).toEqual([date, 'clean', []]);
      expect(told.certificate.explained.find(({ code }) => code === '610')).toMatchObject({
        conversionBalance: '1000.00',
      });
      expect(reportCalls()).toBe(3);
    }
    // Before it there is nothing to explain; as at that day itself it would explain whatever there is.
    expect(await reconcile({ date: '2025-06-29' })).toMatchObject({ outcome: 'clean' });
    expect(await reconcile({ date: day })).toMatchObject({ outcome: 'differs' });
    await expect(reconcile({ conversionDate: '2025-07-01', date: day })).rejects.toThrow(
      'conversionDate is later than 2025-06-30, as at which is compared.',
    );

    const wrong = await reconcile({ conversionDate: '2025-08-01' });
    expect(wrong.outcome).toBe('differs');
    expect(wrong.message).toContain('The two differ on 2025-07-30 already');
  });

  test('it hides no line changed and no journal deleted, on that very day or another', async () => {
    const [line] = await sql(
      `select l.journal_id, l.line_index, l.account_code as code, j.journal_date::text as day, j.journal_number::int as number
         from xero.journal_line l join xero.journal j using (tenant_id, basis, journal_id)
        where l.account_code = '610' and j.journal_date between '2025-03-01' and '2025-10-01' order by j.journal_number desc limit 1`,
    );
    const conversionDate = new Date(Date.parse(line.day) + 86_400_000).toISOString().slice(0, 10);
    stand.organisation.books.reportDifferences = { conversion: { 610: '1000.00' }, conversionOn: line.day };
    const change = (by: number) =>
      sql('update xero.journal_line set net_amount = net_amount + $3 where journal_id = $1 and line_index = $2', [
        line.journal_id,
        line.line_index,
        by,
      ]);
    await change(7.5);
    const changed = await reconcile({ conversionDate });
    expect(changed.certificate.unexplained).toMatchObject([
      {
        code: '610',
        conversionBalance: '1000.00',
        unexplained: '-7.50',
        sentence: expect.stringContaining(`Journal ${line.number} is stored with`),
      },
    ]);
    await change(-7.5);
    expect(await reconcile({ conversionDate })).toMatchObject({ outcome: 'clean' });
    await sql('delete from xero.journal where journal_number = $1', [line.number]);
    const deleted = await reconcile({ conversionDate });
    expect(deleted).toMatchObject({
      outcome: 'differs',
      message: expect.stringMatching(`\\b${line.number}\\b| and so on `),
    });
    expect(deleted.message).toContain(
      `The conversion date ${conversionDate} was not used, as journals that were stored`,
    );
    await stand.importJournals({ startingAtJournalId: line.number, endingAtJournalId: line.number });
    expect(await reconcile({ conversionDate })).toMatchObject({ outcome: 'clean' });
  });

  test('on a day before all books it says that there is nothing to compare; a day to come is refused', async () => {
    const { message } = await reconcile({ date: '2000-01-01' });
    expect(message).toMatch(/^There is nothing to compare as at 2000-01-01: neither/);
    const words = ['--connection', stand.connection, '--date', '2099-01-01'];
    const refused = { code: 2, stderr: expect.stringMatching(/^--date must be 20\S+ at the latest, .*\n$/) };
    expect(await daybook(['reconcile', ...words], stand.environment)).toMatchObject(refused);
  });

  test('a day of one call does not make it go on for ever: on the second day it says what it could not ask', async () => {
    stand.organisation.books.reportDifferences = { conversion: { 610: '5.00' }, conversionOn: '2025-06-30' };
    stand.sandbox.limits.set({ day: 1, dayWindowSeconds: 4 });
    const { outcome, message, certificate } = await reconcile();
    expect([outcome, codes(certificate.unexplained)]).toEqual(['differs', ['610', '840']]);
    expect(message).toContain('daily limit left no calls');
    expect(stand.sandbox.calls.all().filter(({ status }) => status === 200).length).toBe(2);
  });

  test('of two calls a day the second explains what it can', async () => {
    stand.organisation.books.reportDifferences = { conversion: { 610: '5.00' } };
    stand.sandbox.limits.set({ day: 2, dayWindowSeconds: 4 });
    expect(await reconcile()).toMatchObject({ outcome: 'clean', certificate: { differing: { explained: 2 } } });
  });

  const untilWaitingFor = (workflowId: string, what: RegExp) =>
    vi.waitFor(async () => expect(await reconciliations.waitingFor(workflowId)).toMatch(what), {
      timeout: 15_000,
      interval: 100,
    });
  const connect = () => {
    const consent = ['--tenant', stand.organisation.tenantId, '--consent', '--no-browser'];
    return daybook(
      ['connect', '--name', stand.connection, '--application', application, ...consent],
      stand.environment,
    );
  };

  test('one that waits for a new consent goes on as soon as it is given', async () => {
    stand.sandbox.disconnect(stand.organisation.tenantId);
    const workflowId = await start();
    await untilWaitingFor(workflowId, /must be reconnected/);
    expect(await connect()).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('1 waiting workflow looks again now'),
    });
    expect(await reconciliations.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'clean' } });
    expect(await sql('select from daybook.reconciliation_waiting')).toEqual([]);
  });

  test('a consent that comes just before it is noted that it waits is not missed', async () => {
    stand.sandbox.faults.add({ match: { path: '/connections', nth: 1 }, do: { kind: 'delay', ms: 3_000 } });
    stand.sandbox.disconnect(stand.organisation.tenantId);
    const workflowId = await start();
    await vi.waitFor(() => expect(stand.sandbox.faults.list()[0]?.struck).toBe(1), { timeout: 10_000 });
    // It cannot be noted meanwhile.
    const writer = await stand.database.pool.connect();
    await writer.query('begin');
    await writer.query('lock table daybook.reconciliation_waiting in exclusive mode');
    await sleep(3_500);
    expect(await connect()).toMatchObject({ code: 0, stderr: expect.not.stringContaining('waiting') });
    await writer.query('commit');
    writer.release();
    expect(await reconciliations.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'clean' } });
  });

  test('one that somebody has paused meanwhile stays so when the consent is given, until it is resumed', async () => {
    stand.sandbox.disconnect(stand.organisation.tenantId);
    const workflowId = await start();
    await untilWaitingFor(workflowId, /must be reconnected/);
    await stand.imports.pause(workflowId);
    await untilWaitingFor(workflowId, /^Somebody must resume it$/);
    expect(await connect()).toMatchObject({ code: 0 });
    expect(await reconciliations.waitingFor(workflowId)).toBe('Somebody must resume it');
    await stand.imports.resume(workflowId);
    expect(await reconciliations.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'clean' } });
  });
});
