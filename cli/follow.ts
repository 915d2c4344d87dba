import { setTimeout as sleep } from 'node:timers/promises';
import { QueryNotRegisteredError } from '@temporalio/client';
import type { WhyUnanswered } from '../client/found-run.ts';
import type { Ending, Imports } from '../client/imports.ts';
import type { Display } from './display.ts';

const everyMs = 500;
/** A step that waits so long for a worker, without an answer: there is probably none. A worker takes some seconds to start. */
const untakenMs = 15_000;
/**
 * Without an answer for so long the worker that has it probably hangs. Of one that was killed Temporal expects answers for a while,
 * though another may be there by then (https://docs.temporal.io/sticky-execution).
 */
const silentMs = 30_000;
const remedy = 'it goes on once one does. `daybook doctor` says what is wrong.';

/** Shows an import's progress until it ends. */
export async function follow(imports: Imports, workflowId: string, show: Display): Promise<Ending> {
  let ended = false;
  const ending = imports.ending(workflowId).finally(() => {
    ended = true;
  });
  // It may fail before the first question is answered, and a failure that nobody hears ends the process.
  ending.catch(() => {});
  const silence = createSilence(imports, workflowId, show.note);
  try {
    while (!ended) {
      // Asking needs a worker; while none runs there is nothing new to show.
      const progress = await silence.around(() => imports.progress(workflowId)).catch(() => null);
      const trouble = progress?.status === 'running' ? await imports.trouble(workflowId).catch(() => null) : null;
      if (progress && !ended) show.progress(progress, trouble);
      await Promise.race([ending.catch(() => null), sleep(everyMs)]);
    }
    // The last page came after the last look.
    const last = await imports.progress(workflowId).catch(() => null);
    if (last) show.progress(last);
  } finally {
    show.end();
  }
  return ending;
}

/** Says, once in a row, that a workflow gives no answer, and why. */
export function createSilence(
  { untakenSince, stepTrouble }: WhyUnanswered,
  workflowId: string,
  say: (line: string) => void,
) {
  let since: number | null = null;
  let isTold = false;
  return {
    /** Asks the workflow, and fails as that does. */
    async around<T>(ask: () => Promise<T>): Promise<T> {
      const asked = Date.now();
      try {
        const answer = await ask();
        [since, isTold] = [null, false];
        return answer;
      } catch (error) {
        // A worker said that it knows no such question.
        since = error instanceof QueryNotRegisteredError ? null : (since ?? asked);
        const silentFor = since === null ? 0 : Date.now() - since;
        if (!isTold && silentFor > untakenMs) {
          const waits = await untakenSince(workflowId).catch(() => null);
          const trouble = await stepTrouble(workflowId).catch(() => null);
          // Backfills begin a little after one another.
          if (waits !== null && waits.getTime() > Date.now()) since = waits.getTime();
          else if (trouble !== null) {
            isTold = true;
            say(`Its worker fails at the next step, and tries it again and again: ${trouble.message}`);
          } else if (waits !== null || silentFor > silentMs) {
            isTold = true;
            say(`No worker ${waits === null ? 'answers for it' : 'has taken it yet'}; ${remedy}`);
          }
        }
        throw error;
      }
    },
  };
}
