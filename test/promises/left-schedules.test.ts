import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createSchedules } from '../../client/schedules.ts';
import { daybook } from '../support/daybook.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
const made: string[] = [];
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 5 }, worker: false });
  const { connection } = stand;
  const schedules = createSchedules(stand.temporal.client, stand.taskQueue);
  made.push(await schedules.create('invoices', { connection, application }, { cron: '0 3 * * 0' }));
  made.push(await schedules.create('reconcile', { connection, application }, { cron: '0 3 * * 0' }));
  await vi.waitFor(async () => expect(await schedules.list().then(ours)).toEqual(made), 20_000);
});
afterAll(async () => {
  await Promise.all(made.map((id) => stand.temporal.client.schedule.getHandle(id).delete()));
  await stand.close();
});

const ours = (all: Awaited<ReturnType<ReturnType<typeof createSchedules>['list']>>) =>
  all.filter(({ isOurs }) => isOurs).map(({ scheduleId }) => scheduleId);
const run = (...args: string[]) => daybook(args, stand.environment);
const failing = () =>
  made.map((id) =>
    expect.stringMatching(
      new RegExp(
        `^Note: The Schedule "${id}" \\(.*\\) fails from now on\\. Delete it: \`daybook schedule delete ${id}\`\\.$`,
      ),
    ),
  );

test('who takes an application off is told which Schedules fail by it, and the doctor names them', async () => {
  const { connection } = stand;
  const deny = (other: string) => run('connections', 'deny', connection, '--application', other);
  const denied = await deny(application);
  expect([denied.code, denied.stderr.trim().split('\n')]).toEqual([0, failing()]);
  // It was not on the list any more, and another has none.
  expect(await deny(application)).toMatchObject({ code: 0, stderr: '' });
  await run('connections', 'allow', connection, '--application', 'bi');
  expect(await deny('bi')).toMatchObject({ code: 0, stderr: '' });
  const { stdout } = await run('doctor');
  for (const id of made) {
    expect(stdout).toContain(
      `What the Schedule "${id}" starts fails each time: the application "${application}" may not use the connection "${connection}". An admin allows it with \`daybook connections allow ${connection} --application ${application}\`. Or delete it: \`daybook schedule delete ${id}\`.`,
    );
  }
  await run('connections', 'allow', connection, '--application', application);
  expect((await run('doctor')).stdout).not.toContain('starts fails each time');
});

test('while Temporal is away an application is taken off all the same, and it is said what was not looked at', async () => {
  const away = { ...stand.environment, TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const words = ['connections', 'deny', stand.connection, '--application', application];
  expect(await daybook(words, away)).toMatchObject({
    code: 0,
    stderr: 'Note: Temporal cannot be reached: Schedules that need this stay and fail; `daybook doctor` names them.\n',
  });
  await run('connections', 'allow', stand.connection, '--application', application);
});

test('so is who removes an application, or the connection', async () => {
  await run('applications', 'add', application);
  const without = await run('applications', 'remove', application);
  expect([without.code, without.stderr.trim().split('\n')]).toEqual([0, failing()]);
  const removed = await run('connections', 'remove', stand.connection);
  expect([removed.code, removed.stderr.trim().split('\n')]).toEqual([0, failing()]);
  const { stdout } = await run('doctor');
  for (const id of made) {
    expect(stdout).toContain(
      `What the Schedule "${id}" starts fails each time: there is no connection "${stand.connection}". Delete it: \`daybook schedule delete ${id}\`.`,
    );
  }
});
