import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createSchedules } from '../../client/schedules.ts';
import { databaseMark } from '../../storage/diagnosis.ts';
import { scheduleKeepAlive } from '../../worker/schedule-keep-alive.ts';
import { daybook, temporalCommand } from '../support/daybook.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { uniqueName } from '../support/temporal.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 250 } });
});
afterAll(() => stand.close());

test('an import on a rhythm is created once, listed, starts by itself, and is deleted', async () => {
  const { connection, database, environment } = stand;
  const { client } = stand.temporal;
  const command = (...args: string[]) => daybook(['schedule', ...args], environment);
  const request = ['--connection', connection, '--application', application];

  const wrong = await command('create', 'journals', '--connection', connection, '--application', 'nobody');
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('"nobody" may not use') });

  const created = await command('create', 'journals', ...request, '--cron', '0 3 * * 0', '--json');
  expect(created).toMatchObject({ code: 0, stderr: '' });
  const { scheduleId } = JSON.parse(created.stdout) as { scheduleId: string };
  const schedules = createSchedules(client, stand.taskQueue);
  try {
    await expect(schedules.create('journals', { connection, application }, { everyMinutes: 5 })).rejects.toThrow(
      /scheduled already/,
    );
    await vi.waitFor(
      async () => expect((await schedules.list()).map((each) => each.scheduleId)).toContain(scheduleId),
      { timeout: 20_000, interval: 200 },
    );
    const own = (await schedules.list()).find((each) => each.scheduleId === scheduleId);
    expect(new Date(own?.nextStart ?? 0).getUTCDay()).toBe(0);
    expect(own?.what).toContain(connection);

    await client.schedule.getHandle(scheduleId).trigger();
    await vi.waitFor(
      async () => {
        const { rows } = await database.pool.query('select status, stored from daybook.import_run');
        expect(rows).toEqual([{ status: 'caughtUp', stored: 250 }]);
      },
      { timeout: 30_000, interval: 200 },
    );
  } finally {
    expect(await schedules.delete(scheduleId)).toBe(true);
  }
  expect(await schedules.delete(scheduleId)).toBe(false);
});

test('Schedules that Temporal has lost with its data are told, those that somebody has deleted are not', async () => {
  const { connection, database, environment, temporal } = stand;
  const doctor = async () => (await daybook(['doctor'], environment)).stdout;
  const gone = /Temporal knows neither that nor any Schedule of this connection/;
  // What the Schedule of the test before has started is there still.
  expect(await doctor()).not.toMatch(gone);
  await database.pool.query(`update daybook.import_run set workflow_id = workflow_id || '-of-a-lost-server'`);
  expect(await doctor()).toMatch(gone);
  // Not once there is one again.
  const schedules = createSchedules(temporal.client, stand.taskQueue);
  const scheduleId = await schedules.create('journals', { connection, application }, { everyMinutes: 1_440 });
  await vi.waitFor(async () => expect(await doctor()).not.toMatch(gone), { timeout: 30_000 });
  await schedules.delete(scheduleId);
  await database.pool.query('delete from daybook.import_run');
});

test('a Schedule tells its first start, and the list its rhythm and what it asks for; a paused one has no next start', async () => {
  const { connection, environment } = stand;
  const { client } = stand.temporal;
  const command = (...args: string[]) => daybook(['schedule', ...args], environment);
  const words = ['--connection', connection, '--application', application];
  const hourly = await command('create', 'journals', ...words);
  const id = `schedule-import-journals-${connection}`;
  expect(hourly.stdout).toMatch(new RegExp(`^Created ${id}\\. It starts first at 2\\S+Z\\. See it`));
  const cron = 'CRON_TZ=Europe/Berlin 30 4 * * 1-5';
  const nightly = await command('create', 'invoices', ...words, '--full', '--cron', cron, '--json');
  const { scheduleId, firstStart } = JSON.parse(nightly.stdout) as { scheduleId: string; firstStart: string };
  try {
    expect(new Date(firstStart).toLocaleTimeString('en-GB', { timeZone: 'Europe/Berlin' })).toMatch(/^04:30:/);
    await client.schedule.getHandle(id).pause();
    const listed = async () => (await command('list')).stdout;
    await vi.waitFor(async () => expect(await listed()).toContain(scheduleId), { timeout: 20_000, interval: 200 });
    expect(await listed()).toMatch(new RegExp(`${id} +paused +every hour +what is new +Journals of `));
    expect(await listed()).toMatch(/ 2\S+Z +cron 30 4 \* \* 1-5 \(Europe\/Berlin\) +full +Invoices of /);
    const all = JSON.parse((await command('list', '--json')).stdout) as { scheduleId: string }[];
    const of = (which: string) => all.find((each) => each.scheduleId === which);
    expect(of(id)).toMatchObject({ paused: true, nextStart: null, rhythm: 'every hour', request: { connection } });
    expect(of(scheduleId)).toMatchObject({ rhythm: 'cron 30 4 * * 1-5 (Europe/Berlin)', request: { full: true } });
  } finally {
    for (const each of [id, scheduleId]) await client.schedule.getHandle(each).delete();
  }
}, 60_000);

test('a rhythm that is too slow is refused with the slowest there is', async () => {
  const words = ['--connection', stand.connection, '--application', application];
  const refused = await daybook(['schedule', 'create', 'journals', ...words, '--every', '99999999'], stand.environment);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('a whole number from 1 to 999999.') });
});

test('a reconciliation on a rhythm leaves a certificate', async () => {
  const { connection, database } = stand;
  const { client } = stand.temporal;
  const schedules = createSchedules(client, stand.taskQueue);
  const scheduleId = await schedules.create('reconcile', { connection, application }, { everyMinutes: 1_440 });
  try {
    await client.schedule.getHandle(scheduleId).trigger();
    await vi.waitFor(
      async () => {
        const { rows } = await database.pool.query('select connection_name, clean from daybook.reconciliation');
        expect(rows).toEqual([{ connection_name: connection, clean: true }]);
      },
      { timeout: 30_000, interval: 200 },
    );
  } finally {
    expect(await schedules.delete(scheduleId)).toBe(true);
  }
});

test('a Schedule made in Temporal is listed, the doctor tells why its newest run failed, and it is deleted', async () => {
  const { environment, taskQueue, temporal } = stand;
  const scheduleId = uniqueName('by-hand');
  const words = [
    '--schedule-id',
    scheduleId,
    '--interval',
    '1h',
    '--workflow-id',
    scheduleId,
    '--type',
    'importInvoices',
  ];
  const input = JSON.stringify({ connection: 'gone', application });
  const where = ['--address', temporal.address, '--task-queue', taskQueue];
  expect(await temporalCommand(['schedule', 'create', ...words, '--input', input, ...where])).toMatchObject({
    code: 0,
  });
  const schedules = createSchedules(temporal.client, taskQueue);
  try {
    await temporal.client.schedule.getHandle(scheduleId).trigger();
    const failure = async () => {
      const found = (await schedules.list()).find((each) => each.scheduleId === scheduleId);
      return found === undefined ? null : schedules.newestFailure(found);
    };
    await vi.waitFor(async () => expect(await failure()).toMatch(/There is no connection "gone"/), 20_000);
    const [listed, doctor] = await Promise.all([
      daybook(['schedule', 'list'], environment),
      daybook(['doctor'], environment),
    ]);
    expect(listed.stdout).toMatch(
      new RegExp(`${scheduleId} +20\\S+Z +every hour +what is new +Invoices of gone for ${application}\n`),
    );
    expect(doctor.stdout).toMatch(
      new RegExp(
        `the Schedule "${scheduleId}" starts fails each time: there is no connection "gone"\\..*schedule delete ${scheduleId}`,
      ),
    );
  } finally {
    expect(await daybook(['schedule', 'delete', scheduleId], environment)).toMatchObject({ code: 0 });
  }
});

test('one that starts what no worker takes, as the task queue had another name before, is told by the doctor', async () => {
  const { connection, environment, taskQueue, temporal } = stand;
  const request = { connection, application };
  const [before, now] = [`${taskQueue}-before`, `${taskQueue}-now`];
  const deserted = createSchedules(temporal.client, before);
  // Its worker is there: it may be another installation's.
  const served = createSchedules(temporal.client, taskQueue);
  const stray = await deserted.create('invoices', request, { cron: '0 3 * * 0' });
  const other = await served.create('reconcile', request, { cron: '0 3 * * 0' });
  try {
    const listed = async () => (await served.list()).map(({ scheduleId }) => scheduleId);
    await vi.waitFor(async () => expect(await listed()).toEqual(expect.arrayContaining([stray, other])), 20_000);
    const { stdout } = await daybook(['doctor'], { ...environment, TEMPORAL_TASK_QUEUE: now });
    expect(stdout).toMatch(
      new RegExp(`"${stray}" of "${connection}" .* "${before}", and .* "${now}"\\. .*schedule delete ${stray}`),
    );
    expect(stdout).not.toContain(other);
  } finally {
    await Promise.all([stray, other].map((scheduleId) => served.delete(scheduleId)));
  }
}, 60_000);

test('so is the one that refreshed this database’s authorisations then, with what it has started; another’s is not', async () => {
  const { database, environment, taskQueue, temporal } = stand;
  const { client } = temporal;
  const [before, now] = [`${taskQueue}-before`, `${taskQueue}-now`];
  // Made by an earlier version, or for another database: the worker that starts says whose it is.
  await scheduleKeepAlive(client, before, 'of no one');
  const left = await scheduleKeepAlive(client, before, await databaseMark(database.pool));
  const other = await scheduleKeepAlive(client, `${taskQueue}-other`, 'of another');
  const handles = [left, other].map((scheduleId) => client.schedule.getHandle(scheduleId));
  try {
    for (const handle of handles) await handle.trigger();
    const doctor = async () => (await daybook(['doctor'], { ...environment, TEMPORAL_TASK_QUEUE: now })).stdout;
    await vi.waitFor(
      async () =>
        expect(await doctor()).toMatch(
          new RegExp(
            `"${left}" starts what no worker takes: .* "${before}".*schedule delete ${left}.* terminate "keep[^"]+"`,
          ),
        ),
      { timeout: 60_000, interval: 500 },
    );
    const said = await doctor();
    expect(said).not.toContain(other);
    const waits = / terminate "(\S+)" in Temporal/.exec(said)?.[1] ?? '';
    await client.workflow.getHandle(waits).terminate();
    expect(await daybook(['schedule', 'delete', left], environment)).toMatchObject({ code: 0 });
    expect(await doctor()).not.toContain(left);
  } finally {
    await Promise.all(handles.map((handle) => handle.delete().catch(() => {})));
  }
}, 150_000);

test('a cron expression of a leap day is taken, as there will be one', async () => {
  const { connection } = stand;
  const schedules = createSchedules(stand.temporal.client, stand.taskQueue);
  const scheduleId = await schedules.create('invoices', { connection, application }, { cron: '0 3 29 2 *' });
  expect(await schedules.delete(scheduleId)).toBe(true);
});

test.each([
  ['0 3 30 2 *', /cron is "0 3 30 2 \*", which names no time that ever comes/],
  ['not a cron', /cron is "not a cron", which Temporal does not take/],
  ['99 99 * * *', /which Temporal does not take/],
  ['', /cron must not be empty/],
])('a cron expression that is none is refused in a sentence: "%s"', async (cron, said) => {
  const { connection } = stand;
  const words = ['--connection', connection, '--application', application, '--cron', cron];
  const refused = await daybook(['schedule', 'create', 'journals', ...words], stand.environment);
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(said) });
  expect(refused.stderr.trim().split('\n')).toHaveLength(1);
  const left = (await createSchedules(stand.temporal.client, stand.taskQueue).list()).filter(({ isOurs }) => isOurs);
  expect(left).toEqual([]);
});
