import { setTimeout as sleep } from 'node:timers/promises';
import { QueryNotRegisteredError } from '@temporalio/client';
import type { Ending, Imports } from '../client/imports.ts';
import type { Display } from './display.ts';

const everyMs = 500;
/** Without an answer for so long, there is probably no worker to give one. */
const silentMs = 6_000;

/** Shows an import's progress until it ends. */
export async function follow(imports: Imports, workflowId: string, show: Display): Promise<Ending> {
  let ended = false;
  const ending = imports.ending(workflowId).finally(() => {
    ended = true;
  });
  let silentSince: number | null = null;
  let isTold = false;
  try {
    while (!ended) {
      const asked = Date.now();
      // Asking needs a worker; while none runs there is nothing new to show.
      const progress = await imports.progress(workflowId).catch((error: unknown) => {
        // What is no import has no progress, but a worker said so.
        if (error instanceof QueryNotRegisteredError) silentSince = null;
        else silentSince ??= asked;
        return null;
      });
      if (progress) [silentSince, isTold] = [null, false];
      else if (silentSince !== null && !isTold && !ended && Date.now() - silentSince > silentMs) {
        isTold = true;
        show.note(await silenceInWords(imports, workflowId));
      }
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

async function silenceInWords(imports: Imports, workflowId: string): Promise<string> {
  const since = await imports.untakenSince(workflowId).catch(() => null);
  const what = since === null ? 'No worker answers for it' : 'No worker has taken it yet';
  return `${what}; it goes on once one does. \`daybook doctor\` says what is wrong.`;
}
