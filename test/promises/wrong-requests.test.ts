import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { refusal as refusalOfCommand } from '../../cli/imports.ts';
import { findConnection } from '../../storage/connections.ts';
import { countRuns } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

describe('A wrong request started by anybody fails at once, names every problem, and fetches and stores nothing', () => {
  let stand: Stand;
  let spent: number;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 100 } });
    spent = stand.sandbox.calls.all().length;
  });
  afterAll(() => stand.close());

  const refusal = (...input: unknown[]) => refusalOf('importJournals', ...input);

  async function refusalOf(type: string, ...input: unknown[]) {
    const workflowId = uniqueName('wrong');
    const { client } = stand.temporal;
    await client.workflow.start(type, { taskQueue: stand.taskQueue, workflowId, args: input });
    const ending = await stand.imports.ending(workflowId);
    if (ending.ok) throw new Error(`It was not refused: ${JSON.stringify(ending)}`);
    expect((await client.workflow.getHandle(workflowId).describe()).status.name).toBe('FAILED');
    expect(await countRuns(stand)).toBe(0);
    expect(stand.sandbox.calls.all()).toHaveLength(spent);
    return ending;
  }
  const good = () => ({ connection: stand.connection, application });

  test.each<[string, string, object, RegExp]>([
    [
      'an unknown connection',
      'UnknownConnection',
      { connection: 'nobody' },
      /no connection "nobody" \(this application may use: "acme/,
    ],
    [
      'one, by a stranger, who is told of none',
      'UnknownConnection',
      { connection: 'no', application: 'x' },
      /may use: none\)/,
    ],
    ['an application not allowed', 'ApplicationNotAllowed', { application: 'x' }, /"x" may not use the connection/],
    ['a text as a number', 'InvalidRequest', { startingAtJournalId: 'abc' }, /startingAtJournalId .*whole number/],
    ['half a journal', 'InvalidRequest', { endingAtJournalId: 1.5 }, /endingAtJournalId .*whole number/],
    ['journal 0', 'InvalidRequest', { startingAtJournalId: 0 }, /startingAtJournalId .*1 or more/],
    [
      'an end before the start',
      'InvalidRequest',
      { startingAtJournalId: 9, endingAtJournalId: 3 },
      /endingAtJournalId is 3, before startingAtJournalId 9/,
    ],
    ['an unknown key', 'InvalidRequest', { startAt: 1 }, /"startAt" is not a field.*startingAtJournalId/],
    ['an impossible date', 'InvalidRequest', { modifiedSince: '2026-02-30' }, /modifiedSince .*real date/],
    ['a time without zone', 'InvalidRequest', { modifiedSince: '2026-02-03T10:00:00' }, /modifiedSince .*zone/],
    ['a date as a number', 'InvalidRequest', { modifiedSince: 20_260_203 }, /modifiedSince .*text/],
    ['an unknown basis', 'InvalidRequest', { basis: 'money' }, /basis .*"accrual" or "cash"/],
    ['"full" as a text', 'InvalidRequest', { full: 'yes' }, /full .*true or false/],
    ['no application', 'InvalidRequest', { application: undefined }, /application is missing/],
    ['a name with a NUL', 'InvalidRequest', { connection: 'a\u0000' }, /connection must not hold control characters/],
    ['an application with a NUL', 'InvalidRequest', { application: 'a\u0000' }, /application must not hold control/],
    ['a name that is none', 'InvalidRequest', { connection: '' }, /connection must not be empty/],
  ])('%s', async (_, failure, wrong, said) => {
    const refused = await refusal({ ...good(), ...wrong });
    expect(refused.failure).toBe(failure);
    expect(refused.message).toMatch(said);
    expect(refused.message.split('\n')).toHaveLength(1);
  });

  test.each(['importJournals', 'importInvoices', 'reconcileLedger'])(
    'a second input for %s, which would be passed over or taken for what the run before handed over',
    async (type) => {
      for (const second of [{ endingAtJournalId: 5 }, { run: { runId: uniqueName('other') } }, 'x', null]) {
        const refused = await refusalOf(type, good(), second);
        expect(refused).toMatchObject({
          failure: 'InvalidRequest',
          message: expect.stringContaining('One input only'),
        });
      }
    },
  );

  test('a workflow type that there is not, as when its name is mistyped', async () => {
    const refused = await refusalOf('importJournal', good());
    expect(refused.failure).toBe('InvalidRequest');
    expect(refused.message).toBe(
      'There is no workflow type "importJournal"; there are importJournals, importInvoices, reconcileLedger.',
    );
  });

  // Its runs after the first would be taken for the first: Postgres knows an import by the first run of its workflow.
  test.each(['importJournals', 'importInvoices', 'reconcileLedger'])(
    '%s with a cron schedule, instead of a Schedule',
    async (type) => {
      const workflowId = uniqueName('cron');
      const { client } = stand.temporal;
      const args = [good()];
      const { firstExecutionRunId } = await client.workflow.start(type, {
        ...{ taskQueue: stand.taskQueue, workflowId, cronSchedule: '@every 1s', args },
      });
      const failed = await vi.waitFor(
        async () => {
          const { events } = await client.workflow.getHandle(workflowId, firstExecutionRunId).fetchHistory();
          return events?.at(-1)?.workflowExecutionFailedEventAttributes?.failure ?? Promise.reject(Error('It runs.'));
        },
        { timeout: 30_000, interval: 200 },
      );
      expect(failed).toMatchObject({
        message: expect.stringContaining('daybook schedule create'),
        applicationFailureInfo: { type: 'InvalidRequest', nonRetryable: true },
      });
      expect(await countRuns(stand)).toBe(0);
      await client.workflow.getHandle(workflowId).terminate();
    },
  );

  test('all of it at once: one answer names all', async () => {
    const refused = await refusal({
      connection: 'nobody',
      application: '',
      startingAtJournalId: 'abc',
      endingAtJournalId: -1,
      modifiedSince: '2026-02-30',
      basis: 'money',
      since: 'ever',
    });
    expect(refused.failure).toBe('InvalidRequest');
    const problems = refused.message.split('\n');
    for (const name of ['application', 'startingAt', 'endingAt', 'modifiedSince', 'basis', '"since"', '"nobody"']) {
      expect(problems.filter((problem) => problem.includes(name)).length).toBeGreaterThan(0);
    }
    expect(problems.length).toBeGreaterThanOrEqual(7);
  });

  test('bounds that contradict each other are named beside the other problems', async () => {
    const { message } = await refusal({
      ...good(),
      startingAtJournalId: 9,
      endingAtJournalId: 3,
      modifiedSince: 'yesterday',
      colour: 1,
    });
    for (const words of ['before startingAtJournalId 9', 'modifiedSince', '"colour"']) expect(message).toContain(words);
  });

  test.each([
    ['nothing', []],
    ['null', [null]],
    ['a text', ['all of it']],
    ['a list', [[1, 2]]],
    ['a number', [7]],
  ])('%s instead of an object', async (_, input) => {
    expect(await refusal(...input)).toMatchObject({ failure: 'InvalidRequest' });
  });

  test('who may not use a connection is told so in the same words by a command', async () => {
    const { message } = await refusal({ ...good(), application: 'a tool' });
    const connection = await findConnection(stand.database.pool, stand.connection);
    expect(refusalOfCommand(connection, stand.connection, 'a tool')).toEqual([message]);
  });

  test('names that would be SQL or a path are only names', async () => {
    for (const connection of ["x'; drop table xero.journal; --", '../../etc/passwd', '__proto__']) {
      expect(await refusal({ connection, application })).toMatchObject({ failure: 'UnknownConnection' });
    }
  });
});
