import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { checkImport, type ImportKind, type ImportRequest } from '../model/request.ts';
import type { ImportResult, Progress } from '../model/run.ts';
import { streamOf } from '../model/streams.ts';
import type { importJournals } from '../workflows/import-journals.ts';
import { cancel, lookAgain, pause, progress, resume } from '../workflows/messages.ts';
import { workerAnswersWithinMs } from './deadlines.ts';
import { type EndingOf, endingOf } from './ending.ts';
import { type FailedImport, type FailureOfImport, failedOn, failureOf } from './failed.ts';
import {
  createWhyUnanswered,
  type FoundRun,
  findRuns,
  isRunOpen,
  nullWhere,
  type Trouble,
  troubleOf,
} from './found-run.ts';
import { reconciliationType } from './reconciliations.ts';
import { RequestRefused, RunningAlready } from './refused.ts';
import { type RunningWorkflow, requestOf, runningOn } from './running.ts';

export type Ending = EndingOf<ImportResult>;

export interface StartedWorkflow {
  workflowId: string;
  /** Of the first workflow run; of an import also the id of the import run in Postgres. */
  runId: string;
}

/** Drives imports from outside: all of it is Temporal's, so it works the same from any process that reaches the server. */
export function createImports(client: Client, taskQueue: string) {
  /** Any run of the chain: an import goes on under the same workflow id when its history is renewed. */
  const handle = (workflowId: string): WorkflowHandle<typeof importJournals> => client.workflow.getHandle(workflowId);

  async function start(kind: ImportKind, input: unknown, delayMs = 0): Promise<StartedWorkflow> {
    const checked = checkImport(kind, input);
    if (!checked.ok) throw new RequestRefused(checked.problems);
    const workflowId = workflowIdFor(kind, checked.request);
    try {
      const started = await client.workflow.start(workflowTypes[kind], {
        taskQueue,
        workflowId,
        workflowIdConflictPolicy: 'FAIL',
        args: [checked.request],
        staticSummary: summary(kind, checked.request),
        ...(delayMs > 0 ? { startDelay: delayMs } : {}),
      });
      return { workflowId, runId: started.firstExecutionRunId };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      throw new RunningAlready(workflowId);
    }
  }

  return {
    /**
     * Starts an import, or has Temporal start it after `delayMs`. The workflow id says what it imports, so the same request
     * twice at a time is one run.
     * @throws RequestRefused with every problem, RunningAlready among them; nothing is started then.
     */
    start,
    startJournals: (input: unknown): Promise<StartedWorkflow> => start('journals', input),
    startInvoices: (input: unknown): Promise<StartedWorkflow> => start('invoices', input),

    /** Where an import stands; its worker answers, so without one this fails, in seconds. */
    progress: (workflowId: string): Promise<Progress> =>
      client.withDeadline(Date.now() + workerAnswersWithinMs, () => handle(workflowId).query(progress)),
    /** What a running import is held up by; null while nothing fails. */
    trouble: async (workflowId: string): Promise<Trouble | null> =>
      troubleOf(client, await handle(workflowId).describe()),
    ...createWhyUnanswered(client),
    /** What runs on the task queue, imports and all else, whether or not a worker has begun with it. */
    running: (): Promise<RunningWorkflow[]> => runningOn(client, taskQueue),
    /** Imports that failed within the last day; the newest of them. */
    failed: (now: number): Promise<FailedImport[]> => failedOn(client, taskQueue, Object.values(workflowTypes), now),
    /** Why one of them failed that has no row in Postgres. */
    failureOf: (failed: FailedImport): Promise<FailureOfImport> => failureOf(client, failed),
    /** What a workflow was asked for, as it was sent; null where that is no JSON. */
    requestOf: (workflowId: string): Promise<unknown> => requestOf(client, workflowId),
    /** Whether a workflow is an import. @throws WorkflowNotFoundError where there is none. */
    isImport: async (workflowId: string): Promise<boolean> => isImport((await handle(workflowId).describe()).type),
    /**
     * The type of a workflow that is neither an import nor a reconciliation, and so would not heed what is said to it; null
     * when it is one. @throws WorkflowNotFoundError where there is none.
     */
    async strangersType(workflowId: string): Promise<string | null> {
      const { type } = await handle(workflowId).describe();
      return isImport(type) || type === reconciliationType ? null : type;
    },
    /** Whether a run is open in Temporal. */
    isOpen: (run: StartedWorkflow): Promise<boolean> => isRunOpen(client, run),
    /** Runs as Temporal has them, by their ids. */
    foundAll: (runs: readonly StartedWorkflow[]): Promise<Map<string, FoundRun>> => findRuns(client, runs),
    pause: (workflowId: string): Promise<void> => handle(workflowId).signal(pause),
    resume: (workflowId: string): Promise<void> => handle(workflowId).signal(resume),
    /**
     * Tells imports and reconciliations that wait to look again; one that somebody has paused stays so. Returns how many there
     * were, and those that are `gone`: ended, or not known to Temporal any more.
     */
    async wake(workflowIds: string[]): Promise<{ woken: number; gone: string[] }> {
      const told = await Promise.all(
        workflowIds.map((workflowId) =>
          nullWhere(
            WorkflowNotFoundError,
            handle(workflowId)
              .signal(lookAgain)
              .then(() => true),
          ),
        ),
      );
      const gone = workflowIds.filter((_, index) => told[index] === null);
      return { woken: workflowIds.length - gone.length, gone };
    },
    cancel: (workflowId: string): Promise<void> => handle(workflowId).signal(cancel),

    /** Waits for the end; a run that failed is a value too. */
    ending: (workflowId: string): Promise<Ending> => endingOf(handle(workflowId)),
  };
}

export type Imports = ReturnType<typeof createImports>;

/** The workflow type of each kind of import. */
export const workflowTypes = { journals: 'importJournals', invoices: 'importInvoices' } as const;

function isImport(type: string): boolean {
  return Object.values<string>(workflowTypes).includes(type);
}

/**
 * Says what is imported, so that the same request twice at a time is one run. Filters follow a dot, which no connection's
 * name has: `acme` read in full is not what is new of a connection `acme-full`.
 */
export function workflowIdFor(kind: ImportKind, request: ImportRequest): string {
  const { connection, startingAtJournalId: from, endingAtJournalId: to, modifiedSince, full, backfill } = request;
  const stream = streamOf(kind, request) === 'cashJournals' ? 'cash-journals' : kind;
  const filters = [
    from === undefined ? '' : `from-${from}`,
    to === undefined ? '' : `to-${to}`,
    modifiedSince === undefined ? '' : `since-${modifiedSince}`,
    full ? 'full' : '',
  ].filter(Boolean);
  return [`${backfill ? 'backfill' : 'import'}-${stream}-${connection}`, ...filters].join('.');
}

/** For people, in the Temporal UI. */
export function summary(kind: ImportKind, { connection, application, backfill }: ImportRequest): string {
  return `${backfill ? 'Backfill: ' : ''}${kind === 'journals' ? 'Journals' : 'Invoices'} of ${connection} for ${application}`;
}
