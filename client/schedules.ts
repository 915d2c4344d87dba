import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { checkReconcile } from '../model/reconciliation.ts';
import { checkImport, type ImportKind } from '../model/request.ts';
import { temporalListsWithinMs } from './deadlines.ts';
import { endingOf } from './ending.ts';
import { described, nullWhere } from './found-run.ts';
import { summary, workflowIdFor, workflowTypes } from './imports.ts';
import { reconciliationIdFor, reconciliationSummary, reconciliationType } from './reconciliations.ts';
import { RequestRefused } from './refused.ts';
import { rhythmInWords } from './rhythm.ts';
import { connectionIn } from './running.ts';

/** What can be done on a rhythm. */
export type ScheduledKind = ImportKind | 'reconcile';

/** When a Schedule starts it: each so many minutes, or by a cron expression (UTC, as Temporal reads it). */
export type Rhythm = { everyMinutes: number } | { cron: string };

export interface ScheduledImport {
  scheduleId: string;
  /** ISO instant of the next start; null when there is none, as while it is paused. */
  nextStart: string | null;
  paused: boolean;
  /** When it starts, in words, such as "every hour" or "cron 0 3 * * 0". */
  rhythm: string;
  /** What its workflows are sent, whoever wrote it. */
  request: unknown;
  kind: ScheduledKind;
  /** Where its workflows wait for a worker. */
  taskQueue: string;
  /** The task queue is this installation's; others may be on the same Temporal. */
  isOurs: boolean;
  /** Through which connection; null where its request names none. */
  connection: string | null;
  /** In whose name; null where its request names none. */
  application: string | null;
  /** What it does, in words. */
  what: string;
  /** What it has started last; null before the first. */
  newestWorkflowId: string | null;
}

const prefix = 'schedule-';
/** What the ids of the workflows begin with that our Schedules start; Temporal puts the time behind. */
export const scheduledPrefix = 'scheduled-';
const types: Record<ScheduledKind, string> = { ...workflowTypes, reconcile: reconciliationType };
/** Schedules that begin at one time are spread over this long, so that they do not meet at the app's limit. */
const jitter = '1 minute';

/** Imports and reconciliations on a rhythm, as Temporal Schedules: they go on whether or not a worker, or we, are there. */
export function createSchedules(client: Client, taskQueue: string) {
  return {
    /**
     * Creates a Schedule for a request. While one of its workflows runs, as over a spent day, the next is skipped.
     * @throws RequestRefused with every problem, or when the same request has a Schedule already.
     */
    async create(kind: ScheduledKind, input: unknown, rhythm: Rhythm): Promise<string> {
      const { workflowType, workflowId, request, what } =
        kind === 'reconcile' ? reconciliation(input) : anImport(kind, input);
      const scheduleId = `${prefix}${workflowId}`;
      const times =
        'cron' in rhythm ? { cronExpressions: [rhythm.cron] } : { intervals: [{ every: `${rhythm.everyMinutes}m` }] };
      const creating = () =>
        client.schedule.create({
          scheduleId,
          spec: { ...times, jitter },
          policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 hour' },
          action: {
            type: 'startWorkflow',
            workflowType,
            workflowId: `${scheduledPrefix}${workflowId}`,
            taskQueue,
            args: [request],
            staticSummary: what,
          },
          memo: { what },
        });
      try {
        await ('cron' in rhythm ? byCron(client, scheduleId, rhythm.cron, creating) : creating());
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw error;
        throw new RequestRefused([
          `This is scheduled already, as "${scheduleId}". Delete it first to give it another rhythm.`,
        ]);
      }
      return scheduleId;
    },

    /** When a Schedule starts next; null when that is not known. */
    nextStart: async (scheduleId: string): Promise<Date | null> => (await nextStart(client, scheduleId)) ?? null,

    /** All Schedules that import or reconcile, those made in Temporal itself, too. */
    list: () => listed(client, taskQueue),

    /**
     * Those of this task queue that start something through a connection, or in the name of one of these applications, or both.
     * Throws when Temporal does not answer within seconds.
     */
    async startingFor({ connection, applications }: { connection?: string; applications?: string[] }) {
      const all = await client.withDeadline(Date.now() + temporalListsWithinMs, () => listed(client, taskQueue));
      return all.filter(
        (each) =>
          each.isOurs &&
          (connection === undefined || each.connection === connection) &&
          (applications === undefined || applications.includes(each.application ?? '')),
      );
    },

    /** Why the workflow that it has started last failed; null when that did not, or Temporal has forgotten it. */
    async newestFailure({ newestWorkflowId }: ScheduledImport): Promise<string | null> {
      if (newestWorkflowId === null) return null;
      const status = (await described(client, newestWorkflowId))?.status.name;
      if (status !== 'FAILED' && status !== 'TIMED_OUT') return null;
      const ending = await endingOf(client.workflow.getHandle(newestWorkflowId));
      return ending.ok ? null : ending.message;
    },

    /** Deletes a Schedule; what it has started goes on. False when there is none of this id. */
    async delete(scheduleId: string): Promise<boolean> {
      const deleting = client.schedule.getHandle(scheduleId).delete();
      const deleted = await nullWhere(
        ScheduleNotFoundError,
        deleting.then(() => true),
      );
      return deleted !== null;
    },
  };
}

export type Schedules = ReturnType<typeof createSchedules>;

function kindOf(workflowType: string | undefined): ScheduledKind | null {
  return (Object.keys(types) as ScheduledKind[]).find((kind) => types[kind] === workflowType) ?? null;
}

async function listed(client: Client, taskQueue: string): Promise<ScheduledImport[]> {
  const ids: string[] = [];
  for await (const { scheduleId, action } of client.schedule.list()) {
    if (kindOf(action?.workflowType) !== null) ids.push(scheduleId);
  }
  const found = await Promise.all(ids.map((scheduleId) => describedSchedule(client, scheduleId)));
  return found
    .flatMap((each) => (each === null ? [] : (scheduled(each, taskQueue) ?? [])))
    .sort((one, other) => one.scheduleId.localeCompare(other.scheduleId));
}

/** Null when it has been deleted meanwhile. */
export function describedSchedule(client: Client, scheduleId: string): Promise<ScheduleDescription | null> {
  return nullWhere(ScheduleNotFoundError, client.schedule.getHandle(scheduleId).describe());
}

function scheduled(found: ScheduleDescription, taskQueue: string): ScheduledImport | null {
  const { scheduleId, action, info, state, memo, spec } = found;
  const kind = kindOf(action.workflowType);
  if (kind === null) return null;
  return {
    scheduleId,
    // Temporal reckons on while it is paused.
    nextStart: state.paused ? null : (info.nextActionTimes[0]?.toISOString() ?? null),
    paused: state.paused,
    rhythm: rhythmInWords(spec),
    request: action.args?.[0] ?? null,
    kind,
    taskQueue: action.taskQueue,
    isOurs: action.taskQueue === taskQueue,
    connection: connectionIn(action.args?.[0]),
    application: applicationIn(action.args?.[0]),
    what: String(memo?.what ?? asAsked(kind, action.args?.[0])),
    newestWorkflowId: info.recentActions.at(-1)?.action.workflow.workflowId ?? null,
  };
}

function applicationIn(request: unknown): string | null {
  const { application } = (request ?? {}) as { application?: unknown };
  return typeof application === 'string' ? application : null;
}

/** What a Schedule that was made in Temporal does; its request may be wrong. */
function asAsked(kind: ScheduledKind, request: unknown): string {
  try {
    return (kind === 'reconcile' ? reconciliation(request) : anImport(kind, request)).what;
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error;
    return `${types[kind]}, which will refuse its request: ${error.problems.join('; ')}`;
  }
}

/**
 * Creates a Schedule that starts by a cron expression.
 * @throws RequestRefused where Temporal does not take that, or where it names no time that ever comes; there is no Schedule then.
 */
async function byCron(client: Client, scheduleId: string, cron: string, creating: () => Promise<unknown>) {
  if (cron.trim() === '') throw new RequestRefused(['cron must not be empty.']);
  await creating().catch((error: unknown) => {
    // What Temporal cannot take; all else was checked before.
    if (!(error instanceof TypeError)) throw error;
    throw new RequestRefused([`cron is "${cron}", which Temporal does not take: ${error.message}.`]);
  });
  if ((await nextStart(client, scheduleId)) !== null) return;
  await client.schedule.getHandle(scheduleId).delete();
  throw new RequestRefused([`cron is "${cron}", which names no time that ever comes.`]);
}

/**
 * When a Schedule starts next; null when it never does, as Temporal takes a cron expression for a day that no month has. It may not
 * have reckoned yet when it is first asked. Of one that was deleted meanwhile nothing is known: undefined.
 */
async function nextStart(client: Client, scheduleId: string): Promise<Date | null | undefined> {
  for (let looks = 0; looks < 10; looks++) {
    if (looks > 0) await sleep(500);
    const found = await describedSchedule(client, scheduleId);
    if (found === null) return undefined;
    const [next] = found.info.nextActionTimes;
    if (next !== undefined) return next;
  }
  return null;
}

function anImport(kind: ImportKind, input: unknown) {
  const checked = checkImport(kind, input);
  if (!checked.ok) throw new RequestRefused(checked.problems);
  const { request } = checked;
  return {
    workflowType: types[kind],
    workflowId: workflowIdFor(kind, request),
    request,
    what: summary(kind, request),
  };
}

function reconciliation(input: unknown) {
  const checked = checkReconcile(input, Date.now());
  if (!checked.ok) throw new RequestRefused(checked.problems);
  const { request } = checked;
  return {
    workflowType: types.reconcile,
    workflowId: reconciliationIdFor(request),
    request,
    what: reconciliationSummary(request),
  };
}
