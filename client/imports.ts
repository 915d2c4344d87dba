import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { checkImportJournals, type ImportJournalsRequest } from '../model/request.ts';
import type { FailureName, ImportResult, Progress } from '../model/run.ts';
import { journalStream } from '../model/streams.ts';
import type { importJournals } from '../workflows/import-journals.ts';
import { cancel, pause, progress, resume } from '../workflows/messages.ts';

/** A request that was refused before anything was started; `problems` names every one. */
export class RequestRefused extends Error {
  override name = 'RequestRefused';
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export type Ending = { ok: true; result: ImportResult } | { ok: false; failure: FailureName | string; message: string };

export interface StartedImport {
  workflowId: string;
  /** Of the first workflow run; also the id of the import run in Postgres. */
  runId: string;
}

const progressWithinMs = 3_000;

/** Drives imports from outside: all of it is Temporal's, so it works the same from any process that reaches the server. */
export function createImports(client: Client, taskQueue: string) {
  /** Any run of the chain: an import goes on under the same workflow id when its history is renewed. */
  const handle = (workflowId: string): WorkflowHandle<typeof importJournals> => client.workflow.getHandle(workflowId);

  return {
    /**
     * Starts an import of journals. The workflow id says what it imports, so the same request twice at a time is one run.
     * @throws RequestRefused with every problem; nothing is started then.
     */
    async startJournals(input: unknown): Promise<StartedImport> {
      const checked = checkImportJournals(input);
      if (!checked.ok) throw new RequestRefused(checked.problems);
      const workflowId = workflowIdFor(checked.request);
      try {
        const started = await client.workflow.start<typeof importJournals>('importJournals', {
          taskQueue,
          workflowId,
          workflowIdConflictPolicy: 'FAIL',
          args: [checked.request],
          staticSummary: summary(checked.request),
        });
        return { workflowId, runId: started.firstExecutionRunId };
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        throw new RequestRefused([
          `This import is running already, as workflow "${workflowId}". Follow it with \`daybook status --follow ${workflowId}\`.`,
        ]);
      }
    },

    /** Where an import stands; its worker answers, so without one this fails, in seconds. */
    progress: (workflowId: string): Promise<Progress> =>
      client.withDeadline(Date.now() + progressWithinMs, () => handle(workflowId).query(progress)),
    pause: (workflowId: string): Promise<void> => handle(workflowId).signal(pause),
    resume: (workflowId: string): Promise<void> => handle(workflowId).signal(resume),
    /** Tells runs that waited for a new consent to go on. Returns how many there were; one that has ended is passed over. */
    async resumeAll(workflowIds: string[]): Promise<number> {
      const told = await Promise.all(
        workflowIds.map((workflowId) =>
          handle(workflowId)
            .signal(resume)
            .then(
              () => true,
              (error) => {
                if (error instanceof WorkflowNotFoundError) return false;
                throw error;
              },
            ),
        ),
      );
      return told.filter(Boolean).length;
    },
    cancel: (workflowId: string): Promise<void> => handle(workflowId).signal(cancel),

    /** Waits for the end; a run that failed is a value too. */
    async ending(workflowId: string): Promise<Ending> {
      try {
        return { ok: true, result: await handle(workflowId).result() };
      } catch (error) {
        if (!(error instanceof WorkflowFailedError)) throw error;
        const { cause } = error;
        if (cause instanceof ApplicationFailure)
          return { ok: false, failure: cause.type ?? 'Failed', message: cause.message };
        return { ok: false, failure: cause?.name ?? 'Failed', message: cause?.message ?? error.message };
      }
    },
  };
}

export type Imports = ReturnType<typeof createImports>;

function workflowIdFor(request: ImportJournalsRequest): string {
  const { connection, startingAtJournalId: from, endingAtJournalId: to, modifiedSince, basis, full } = request;
  const stream = journalStream(basis) === 'journals' ? 'journals' : 'cash-journals';
  const filters = [
    from === undefined ? '' : `from-${from}`,
    to === undefined ? '' : `to-${to}`,
    modifiedSince === undefined ? '' : `since-${modifiedSince}`,
    full ? 'full' : '',
  ].filter(Boolean);
  return ['import', stream, connection, ...filters].join('-');
}

function summary({ connection, application }: ImportJournalsRequest): string {
  return `Journals of ${connection} for ${application}`;
}
