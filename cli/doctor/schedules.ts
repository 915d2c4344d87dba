import type { Client } from '@temporalio/client';
import { described, isOpen } from '../../client/found-run.ts';
import { createSchedules, describedSchedule, type ScheduledImport } from '../../client/schedules.ts';
import { shellWord } from '../../model/shell-word.ts';
import { listConnections } from '../../storage/connections.ts';
import { databaseMark } from '../../storage/diagnosis.ts';
import { keepAliveId, keepAliveType } from '../../worker/schedule-keep-alive.ts';
import { counted } from '../counted.ts';
import { type Found, judge } from './findings.ts';
import { lostSchedules } from './lost-schedules.ts';
import type { DoctorPlace } from './place.ts';
import { isLive, pollersOf } from './pollers.ts';
import { refusedEachTime } from './registry.ts';

export async function schedules({ temporal: reached, database, config }: DoctorPlace): Promise<Found> {
  const client = await reached();
  const problems: string[] = [];
  const keepAlive = await describedSchedule(client, keepAliveId(config.taskQueue));
  if (keepAlive === null) {
    problems.push(
      'The Schedule that refreshes idle authorisations each day is missing, and Xero forgets one after 60 days. A worker makes it at its start.',
    );
  } else if (keepAlive.state.paused) {
    problems.push(
      `The Schedule "${keepAlive.scheduleId}" is paused: idle authorisations die after 60 days. Unpause it.`,
    );
  }
  const schedules = createSchedules(client, config.taskQueue);
  const all = await schedules.list();
  const ours = all.filter(({ isOurs }) => isOurs);
  // Where the database is away another check says so.
  const registry = await database().then(listConnections, () => null);
  const known = new Set(registry?.map(({ name }) => name));
  problems.push(
    ...(await inVain(
      client,
      all.filter((each) => known.has(each.connection ?? '')),
      config.taskQueue,
    )),
  );
  // Where the database is away nobody knows whose the others are.
  const mark = await database().then(databaseMark, () => null);
  if (mark !== null) problems.push(...(await keptAliveInVain(client, mark, config.taskQueue)));
  if (mark !== null) problems.push(...(await lostSchedules(client, await database(), all)));
  const refused = ours.map((each) => (registry === null || each.paused ? null : refusedEachTime(each, registry)));
  const failures = await Promise.all(ours.map((each) => schedules.newestFailure(each)));
  for (const [index, { scheduleId, newestWorkflowId }] of ours.entries()) {
    // What its newest run was told may have changed since: the registry knows better.
    if (refused[index]) problems.push(refused[index]);
    else if (failures[index])
      problems.push(
        `The newest run (${newestWorkflowId}) of the Schedule "${scheduleId}" failed: ${failures[index].replaceAll('\n', ' ')} If what it asks for is wrong, delete it: \`daybook schedule delete ${shellWord(scheduleId)}\`.`,
      );
  }
  const reconciliations = ours.filter(({ kind }) => kind === 'reconcile').length;
  const onRhythm = [
    counted(ours.length - reconciliations, 'imports'),
    ...(reconciliations === 0 ? [] : [counted(reconciliations, 'reconciliations')]),
  ].join(' and ');
  const paused = ours.filter((each) => each.paused).map(({ scheduleId }) => `${scheduleId} is paused.`);
  return judge(problems, [
    `Authorisations are kept alive daily; ${onRhythm} ${ours.length === 1 ? 'is' : 'are'} on a rhythm.`,
    ...paused,
  ]);
}

/**
 * Schedules of our connections that start what nobody takes: made before the task queue had another name. One whose queue has
 * workers may be another installation's.
 */
async function inVain(client: Client, scheduled: ScheduledImport[], taskQueue: string): Promise<string[]> {
  const elsewhere = scheduled.filter(({ isOurs, paused }) => !isOurs && !paused);
  const deserted = await desertedOf(
    client,
    elsewhere.map((each) => each.taskQueue),
  );
  return elsewhere
    .filter((each) => deserted.has(each.taskQueue))
    .map(
      ({ scheduleId, connection, taskQueue: queue }) =>
        `The Schedule "${scheduleId}" of "${connection}" starts what no worker takes: it names the task queue "${queue}", and TEMPORAL_TASK_QUEUE is "${taskQueue}". Delete it (\`daybook schedule delete ${shellWord(scheduleId)}\`) and create it again, or start a worker for that queue.`,
    );
}

/** The Schedule that refreshed this database's idle authorisations while the task queue had another name: a worker makes its own for the new one. */
async function keptAliveInVain(client: Client, mark: string, taskQueue: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId, action } of client.schedule.list()) {
    if (action?.workflowType === keepAliveType && scheduleId !== keepAliveId(taskQueue)) ids.push(scheduleId);
  }
  const found = await Promise.all(ids.map((scheduleId) => describedSchedule(client, scheduleId)));
  const left = found.flatMap((each) =>
    each !== null && each.action.memo?.database === mark && !each.state.paused ? each : [],
  );
  const deserted = await desertedOf(
    client,
    left.map(({ action }) => action.taskQueue),
  );
  return Promise.all(
    left
      .filter(({ action }) => deserted.has(action.taskQueue))
      .map(async ({ scheduleId, action, info }) => {
        const started = info.recentActions.at(-1)?.action.workflow.workflowId;
        const left = started === undefined ? null : await described(client, started);
        const waits =
          left !== null && isOpen(left)
            ? ` What it has started waits for good: terminate "${started}" in Temporal.`
            : '';
        return `The Schedule "${scheduleId}" starts what no worker takes: it refreshes idle authorisations on the task queue "${action.taskQueue}", and TEMPORAL_TASK_QUEUE is "${taskQueue}". Delete it: \`daybook schedule delete ${shellWord(scheduleId)}\` (a worker for that queue would make it again).${waits}`;
      }),
  );
}

/** Those of these task queues from which no worker takes work. */
async function desertedOf(client: Client, taskQueues: string[]): Promise<Set<string>> {
  const queues = [...new Set(taskQueues)];
  const polled = await Promise.all(queues.map((queue) => pollersOf(client, queue)));
  return new Set(queues.filter((_, index) => !polled[index]?.some((each) => isLive(each, Date.now()))));
}
