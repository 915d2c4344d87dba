import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import { checkReconcile } from '../model/reconciliation.ts';
import { checkImport, type ImportKind } from '../model/request.ts';
import { RequestRefused, summary, workflowIdFor, workflowTypes } from './imports.ts';
import { reconciliationIdFor, reconciliationSummary } from './reconciliations.ts';

/** What can be done on a rhythm. */
export type ScheduledKind = ImportKind | 'reconcile';

/** When a Schedule starts it: each so many minutes, or by a cron expression (UTC, as Temporal reads it). */
export type Rhythm = { everyMinutes: number } | { cron: string };

export interface ScheduledImport {
  scheduleId: string;
  /** ISO instant of the next start; null when there is none, as while it is paused. */
  nextStart: string | null;
  paused: boolean;
  /** What it does, in words. */
  what: string;
}

const prefix = 'schedule-';
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
      if ('cron' in rhythm && rhythm.cron.trim() === '') throw new RequestRefused(['cron must not be empty']);
      try {
        await client.schedule.create({
          scheduleId,
          spec: {
            ...('cron' in rhythm
              ? { cronExpressions: [rhythm.cron] }
              : { intervals: [{ every: `${rhythm.everyMinutes} minutes` }] }),
            jitter,
          },
          policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 hour' },
          action: {
            type: 'startWorkflow',
            workflowType,
            workflowId: `scheduled-${workflowId}`,
            taskQueue,
            args: [request],
          },
          memo: { what },
        });
      } catch (error) {
        // What Temporal cannot take; all else was checked before.
        if (error instanceof TypeError && 'cron' in rhythm)
          throw new RequestRefused([`cron is "${rhythm.cron}", which Temporal does not take: ${error.message}.`]);
        if (!(error instanceof ScheduleAlreadyRunning)) throw error;
        throw new RequestRefused([
          `This is scheduled already, as "${scheduleId}". Delete it first to give it another rhythm.`,
        ]);
      }
      return scheduleId;
    },

    /** The Schedules made here; those made in Temporal itself have ids of their own and are not among them. */
    async list(): Promise<ScheduledImport[]> {
      const found: ScheduledImport[] = [];
      for await (const { scheduleId, info, state, memo } of client.schedule.list()) {
        if (!scheduleId.startsWith(prefix)) continue;
        found.push({
          scheduleId,
          nextStart: info?.nextActionTimes[0]?.toISOString() ?? null,
          paused: state.paused,
          what: String(memo?.what ?? ''),
        });
      }
      return found.sort((one, other) => one.scheduleId.localeCompare(other.scheduleId));
    },

    /** Deletes a Schedule; what it has started goes on. False when there is none of this id. */
    async delete(scheduleId: string): Promise<boolean> {
      try {
        await client.schedule.getHandle(scheduleId).delete();
        return true;
      } catch (error) {
        if (error instanceof ScheduleNotFoundError) return false;
        throw error;
      }
    },
  };
}

export type Schedules = ReturnType<typeof createSchedules>;

function anImport(kind: ImportKind, input: unknown) {
  const checked = checkImport(kind, input);
  if (!checked.ok) throw new RequestRefused(checked.problems);
  const { request } = checked;
  return {
    workflowType: workflowTypes[kind],
    workflowId: workflowIdFor(kind, request),
    request,
    what: summary(kind, request),
  };
}

function reconciliation(input: unknown) {
  const checked = checkReconcile(input);
  if (!checked.ok) throw new RequestRefused(checked.problems);
  const { request } = checked;
  return {
    workflowType: 'reconcileLedger',
    workflowId: reconciliationIdFor(request),
    request,
    what: reconciliationSummary(request),
  };
}
