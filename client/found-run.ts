import {
  type Client,
  type ScheduleNotFoundError,
  type WorkflowExecutionDescription,
  WorkflowNotFoundError,
} from '@temporalio/client';

/** What a workflow that runs is held up by: its activity, or its own next step, fails, and Temporal tries it again and again. */
export interface Trouble {
  /** So many times it has failed in a row. */
  failures: number;
  message: string;
  /** Since when the attempt after those failures is at work; absent while none is. */
  triedSince?: Date;
}

/** A run of Postgres as Temporal has it. */
export interface FoundRun {
  /** False when its workflow has ended, or is not known to Temporal. */
  isOpen: boolean;
  /** In Temporal itself, see `isPaused`. */
  isPaused: boolean;
  /** What it is held up by; null while nothing fails. */
  trouble: Trouble | null;
}

/** A workflow, as far as its status in Temporal goes. */
type HasStatus = Pick<WorkflowExecutionDescription, 'status'>;

/** Whether a workflow has not ended. */
export function isOpen(found: HasStatus): boolean {
  return found.status.name === 'RUNNING' || isPaused(found);
}

/**
 * Whether a workflow is held in Temporal itself, whatever is said to it, until it is unpaused there. Ours to pause an import is
 * another: a signal, after which its workflow runs and waits. https://docs.temporal.io/encyclopedia/workflow/workflow-pause
 */
function isPaused({ status }: HasStatus): boolean {
  return status.name === 'PAUSED';
}

/** The workflow of a run; null when it has ended or is not known to Temporal. Another run under the same workflow id is not it. */
async function openWorkflow(
  client: Client,
  run: { workflowId: string; runId: string },
): Promise<WorkflowExecutionDescription | null> {
  const found = await described(client, run.workflowId);
  return found && isOpen(found) && (await firstRunIdOf(client, found)) === run.runId ? found : null;
}

/** Whether the workflow of a run is open. */
export async function isRunOpen(client: Client, run: { workflowId: string; runId: string }): Promise<boolean> {
  return (await openWorkflow(client, run)) !== null;
}

/** Asks Temporal for the workflow of a run, and what it is held up by, which may take another call. */
export async function findRun(client: Client, run: { workflowId: string; runId: string }): Promise<FoundRun> {
  const found = await openWorkflow(client, run);
  if (found === null) return { isOpen: false, isPaused: false, trouble: null };
  return { isOpen: true, isPaused: isPaused(found), trouble: await troubleOf(client, found) };
}

/** So many workflows are asked after at most; more are not at work at once on an installation that is well. */
export const mostAsked = 200;

/** The same of the first of these runs, by their ids. */
export async function findRuns(
  client: Client,
  runs: readonly { workflowId: string; runId: string }[],
): Promise<Map<string, FoundRun>> {
  const asked = runs.slice(0, mostAsked);
  return new Map(await Promise.all(asked.map(async (run) => [run.runId, await findRun(client, run)] as const)));
}

/** The first run of a workflow, under whose id Postgres knows it however often its history was renewed. */
export async function firstRunIdOf(client: Client, found: WorkflowExecutionDescription): Promise<string> {
  const { workflowId, runId, raw } = found;
  const told = raw.workflowExecutionInfo?.firstRunId;
  if (told) return told;
  // Temporal before 1.25 does not say so there, but each history begins with it.
  return (await howStarted(client, { workflowId, runId }))?.firstExecutionRunId || runId;
}

/** How a workflow was started, by the first event of its history; of its newest run where none is named. */
export async function howStarted(client: Client, execution: { workflowId: string; runId?: string }) {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution,
    maximumPageSize: 1,
  });
  return history?.events?.[0]?.workflowExecutionStartedEventAttributes;
}

/** What Temporal answers, but null where it says, by an error of this class, that there is no such thing. */
export function nullWhere<T>(
  notFound: typeof WorkflowNotFoundError | typeof ScheduleNotFoundError,
  answer: Promise<T>,
): Promise<T | null> {
  return answer.catch((error: unknown) => {
    if (error instanceof notFound) return null;
    throw error;
  });
}

/** The newest run under a workflow id; null when Temporal does not know it, or not any more. */
export function described(client: Client, workflowId: string): Promise<WorkflowExecutionDescription | null> {
  return nullWhere(WorkflowNotFoundError, client.workflow.getHandle(workflowId).describe());
}

/** PENDING_ACTIVITY_STATE_STARTED of Temporal's API. */
const started = 2;

/** Null while nothing fails. It is what the Temporal UI shows under pending activities, or of a failed workflow task. */
export async function troubleOf(client: Client, found: WorkflowExecutionDescription): Promise<Trouble | null> {
  for (const { attempt, lastFailure, state, lastStartedTime } of found.raw.pendingActivities ?? []) {
    if (!lastFailure?.message) continue;
    const triedSince = state === started ? new Date(Number(lastStartedTime?.seconds ?? 0) * 1_000) : null;
    const trouble = { failures: Math.max(1, (attempt ?? 1) - 1), message: lastFailure.message };
    return triedSince === null ? trouble : { ...trouble, triedSince };
  }
  return stepTroubleOf(client, found);
}

/** EVENT_TYPE_WORKFLOW_TASK_COMPLETED, …_TIMED_OUT and …_FAILED of Temporal's API: how a step that a worker took went on. */
const [completed, timedOut, failed] = [7, 8, 9];
/** Of a step that fails only its first failure is written down; what is told to the workflow afterwards stands behind it. */
const eventsBehind = 100;

/**
 * Why the next step of a workflow fails whenever a worker takes it, as one of a type that the worker does not have; null while
 * it does not. Where workers took it and gave no answer, that is for `untakenSince` to tell.
 * https://docs.temporal.io/references/failures#workflow-task-failures
 */
async function stepTroubleOf(
  client: Client,
  { workflowId, runId, raw }: Pick<WorkflowExecutionDescription, 'workflowId' | 'runId' | 'raw'>,
): Promise<Trouble | null> {
  const attempt = raw.pendingWorkflowTask?.attempt ?? 0;
  if (attempt <= 1) return null;
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: eventsBehind,
  });
  const last = history?.events?.find(({ eventType }) => [completed, timedOut, failed].includes(eventType ?? 0));
  const message = last?.workflowTaskFailedEventAttributes?.failure?.message;
  return message ? { failures: attempt - 1, message } : null;
}

/** The same of the newest run under a workflow id. */
async function stepTrouble(client: Client, workflowId: string): Promise<Trouble | null> {
  const found = await described(client, workflowId);
  return found && stepTroubleOf(client, found);
}

/** The same of the first of these workflows, by their ids; those that do not fail are left out. */
export async function stepTroubles(
  client: Client,
  running: readonly { workflowId: string }[],
): Promise<Map<string, Trouble>> {
  const found = await Promise.all(
    running
      .slice(0, mostAsked)
      .map(async ({ workflowId }) => [workflowId, await stepTrouble(client, workflowId)] as const),
  );
  return new Map(found.flatMap(([workflowId, trouble]) => (trouble ? [[workflowId, trouble] as const] : [])));
}

/** Started, a task made of it, taken, lost again: a history no longer than this has no answer of a worker. */
const unansweredEvents = 4;

/**
 * Since when its next step has waited for a worker, or for the answer of the one that took it; null while none waits, and of one
 * that is paused in Temporal, which no worker is given. An instant to come where the start was delayed.
 */
export function untakenSince({
  status,
  raw: { pendingWorkflowTask },
  historyLength,
  startTime,
  executionTime = startTime,
}: Pick<
  WorkflowExecutionDescription,
  'status' | 'raw' | 'historyLength' | 'startTime' | 'executionTime'
>): Date | null {
  if (isPaused({ status })) return null;
  // Nothing but its start: the first step is yet to be made.
  if (!pendingWorkflowTask) return historyLength === 1 ? executionTime : null;
  // A task that was taken and lost is made anew, with a time of its own.
  if (historyLength <= unansweredEvents) return executionTime;
  return new Date(Number(pendingWorkflowTask.scheduledTime?.seconds ?? 0) * 1_000);
}

/** Asks Temporal why a workflow gives no answer. */
export function createWhyUnanswered(client: Client) {
  return {
    /** Since when its next step has waited for a worker; null while none waits. */
    untakenSince: async (workflowId: string): Promise<Date | null> =>
      untakenSince(await client.workflow.getHandle(workflowId).describe()),
    /** Why its next step fails whenever a worker takes it; null while it does not. */
    stepTrouble: (workflowId: string): Promise<Trouble | null> => stepTrouble(client, workflowId),
  };
}

export type WhyUnanswered = ReturnType<typeof createWhyUnanswered>;

/** It has made its first step, and waits for a timer or for somebody's word: nothing of it is to be done by a worker now. */
export function isAsleep({
  raw: { pendingWorkflowTask, pendingActivities },
  historyLength,
}: Pick<WorkflowExecutionDescription, 'raw' | 'historyLength'>): boolean {
  return !pendingWorkflowTask && !pendingActivities?.length && historyLength > unansweredEvents;
}
