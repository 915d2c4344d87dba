import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import { findConnection } from '../../storage/connections.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { daybook } from '../support/daybook.ts';
import { forgetImports, runRows, untilProgress, untilRow } from '../support/observe.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

describe('An import whose authorisation is lost waits, and goes on by itself after the admin has reconnected', () => {
  let stand: Stand;
  let worker: TestProcess;
  beforeAll(async () => {
    // Five imports within the minute need more than its sixty calls, and would wait for the next one.
    const limits = { minute: 1_000_000, day: 1_000_000 };
    stand = await startStand({ sandbox: { journals: 1_500, latencyMs: 60, limits }, worker: false });
    const env = { ...stand.environment, DAYBOOK_LOG_LEVEL: 'info' };
    worker = runProcess('bin/daybook.mjs', { args: ['worker'], env });
    await worker.line(/the worker is ready/);
  });
  afterAll(async () => {
    await worker.end('SIGTERM');
    await stand.close();
  });

  const losses = {
    'revoked at Xero': () => {
      stand.sandbox.tokens.revoke();
      stand.sandbox.tokens.expireAccessTokens();
    },
    // The access token still lives, and Xero's 403 does not say whether it is this or a matter of roles.
    'disconnected in Xero': () => stand.sandbox.disconnect(stand.organisation.tenantId),
  };

  test.each(Object.entries(losses))('%s', async (_, lose) => {
    await forgetImports(stand);
    stand.sandbox.setLatency(60);
    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
    await untilRow(stand, workflowId, ({ pages }) => pages >= 3);
    lose();
    const waiting = await untilProgress(stand, workflowId, ({ status }) => status === 'needsReconnect');
    const command = `daybook connect --name ${stand.connection} --application ${application}`;
    expect(waiting.waitingFor).toContain(command);
    expect(waiting.waitingFor).toContain('http://localhost:8088');
    // What to do is said once, and no identifier of ours with it.
    expect(waiting.waitingFor?.match(/daybook connect/g)).toHaveLength(1);
    const lost = await findConnection(stand.database.pool, stand.connection);
    expect(waiting.waitingFor).not.toContain(lost?.authorisationId ?? '?');
    // Where an operator looks: the worker's log, the status, the row.
    expect(await worker.line(/must be reconnected/)).toContain(command);
    const status = await daybook(['status'], stand.environment);
    expect(status.stdout).toContain('needsReconnect');
    expect(status.stdout).toContain(command);
    expect(await runRows(stand, workflowId)).toMatchObject([{ status: 'needsReconnect', ended_at: null }]);
    expect(await findConnection(stand.database.pool, stand.connection)).toMatchObject({ status: 'needsReconnect' });
    const before = await summariseLedger(stand.database.pool, stand.organisation.tenantId);

    const tenant = ['--tenant', stand.organisation.tenantId, '--consent', '--no-browser'];
    const [, ...words] = command.split(' ');
    const connected = await daybook([...words, ...tenant], stand.environment);
    expect(connected).toMatchObject({ code: 0, stderr: expect.stringContaining('1 waiting workflow looks again now') });
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    const after = await summariseLedger(stand.database.pool, stand.organisation.tenantId);
    expect(differences(after, stand.organisation)).toEqual([]);
    // From its cursor: no page was fetched twice, but for the one that met the loss.
    expect(JSON.stringify(before)).not.toBe(JSON.stringify(after));
    const offsets = stand.sandbox.calls.journals().filter(({ status: code }) => code === 200);
    expect(new Set(offsets.map(({ query }) => query)).size).toBe(offsets.length);
  });

  test('a consent that comes just before the import has written down that it waits is not missed', async () => {
    await forgetImports(stand);
    stand.sandbox.setLatency(60);
    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
    await untilRow(stand, workflowId, ({ pages }) => pages >= 2);
    stand.sandbox.faults.add({ match: { path: '/connections', nth: 1 }, do: { kind: 'delay', ms: 3_000 } });
    stand.sandbox.disconnect(stand.organisation.tenantId);
    await vi.waitFor(() => expect(stand.sandbox.faults.list()[0]?.struck).toBe(1), { timeout: 10_000 });
    // Its row cannot be written meanwhile.
    const writer = await stand.database.pool.connect();
    await writer.query('begin');
    await writer.query('select from daybook.import_run where workflow_id = $1 for update', [workflowId]);
    await sleep(3_500);
    const words = ['connect', '--name', stand.connection, '--application', application, '--consent', '--no-browser'];
    const connected = await daybook([...words, '--tenant', stand.organisation.tenantId], stand.environment);
    expect(connected).toMatchObject({ code: 0, stderr: expect.not.stringContaining('waiting') });
    await writer.query('commit');
    writer.release();
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  });

  // Who is asked to waits ten minutes, unless somebody does.
  test('a 403 that passes, while the list of connections cannot be read, asks nobody to reconnect', async () => {
    await forgetImports(stand);
    stand.sandbox.setLatency(0);
    stand.sandbox.faults.add(
      // The second time by a token that was refreshed for it.
      { match: { path: 'Journals', nth: [2, 3] }, do: { kind: 'forbiddenDisconnected' } },
      { match: { path: '/connections', nth: 1 }, do: { kind: 'html503' } },
    );
    expect(await stand.importJournals()).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(stand.sandbox.faults.list().slice(-2)).toMatchObject([{ struck: 2 }, { struck: 1 }]);
    stand.sandbox.faults.clear();
  });

  test('an import whose connection is removed in its middle says so, not that its application may not use it', async () => {
    await forgetImports(stand);
    stand.sandbox.setLatency(60);
    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
    await untilRow(stand, workflowId, ({ pages }) => pages >= 2);
    stand.sandbox.setLatency(1_500);
    expect(await daybook(['connections', 'remove', stand.connection], stand.environment)).toMatchObject({ code: 0 });
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: false, failure: 'Disconnected' });
    const words = ['connect', '--name', stand.connection, '--application', application, '--consent', '--no-browser'];
    const connected = await daybook([...words, '--tenant', stand.organisation.tenantId], stand.environment);
    expect(connected).toMatchObject({ code: 0 });
  });

  // The last: it leaves no connection.
  test('an import that waits for a consent ends at once when its connection is removed', async () => {
    await forgetImports(stand);
    stand.sandbox.tokens.revoke();
    stand.sandbox.tokens.expireAccessTokens();
    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
    await untilProgress(stand, workflowId, ({ status }) => status === 'needsReconnect');
    const removed = await daybook(['connections', 'remove', stand.connection], stand.environment);
    expect(removed).toMatchObject({ code: 0, stderr: '1 waiting workflow looks again now.\n' });
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: false, failure: 'Disconnected' });
  });
});
