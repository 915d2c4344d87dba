import { type Client, ScheduleNotFoundError } from '@temporalio/client';
import { createSchedules, type ScheduledImport } from '../../client/schedules.ts';
import { shellWord } from '../../model/shell-word.ts';
import { listConnections } from '../../storage/connections.ts';
import { keepAliveId } from '../../worker/schedule-keep-alive.ts';
import { counted } from '../counted.ts';
import { type Found, judge } from './findings.ts';
import type { DoctorPlace } from './place.ts';
import { isLive, pollersOf } from './pollers.ts';

export async function schedules({ temporal: reached, database, config }: DoctorPlace): Promise<Found> {
  const client = await reached();
  const problems: string[] = [];
  const keepAlive = await client.schedule
    .getHandle(keepAliveId(config.taskQueue))
    .describe()
    .catch((error: unknown) => {
      if (error instanceof ScheduleNotFoundError) return null;
      throw error;
    });
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
  const connections = await database().then(listConnections, () => []);
  const known = new Set(connections.map(({ name }) => name));
  problems.push(
    ...(await inVain(
      client,
      all.filter((each) => known.has(each.connection ?? '')),
      config.taskQueue,
    )),
  );
  const failures = await Promise.all(ours.map((each) => schedules.newestFailure(each)));
  for (const [index, { scheduleId, newestWorkflowId }] of ours.entries()) {
    if (failures[index])
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
  const queues = [...new Set(elsewhere.map((each) => each.taskQueue))];
  const polled = await Promise.all(queues.map((queue) => pollersOf(client, queue)));
  const deserted = queues.filter((_, index) => !polled[index]?.some((each) => isLive(each, Date.now())));
  return elsewhere
    .filter((each) => deserted.includes(each.taskQueue))
    .map(
      ({ scheduleId, connection, taskQueue: queue }) =>
        `The Schedule "${scheduleId}" of "${connection}" starts what no worker takes: it names the task queue "${queue}", and TEMPORAL_TASK_QUEUE is "${taskQueue}". Delete it (\`daybook schedule delete ${shellWord(scheduleId)}\`) and create it again, or start a worker for that queue.`,
    );
}
