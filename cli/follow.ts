import { setTimeout as sleep } from 'node:timers/promises';
import type { Ending, Imports } from '../client/imports.ts';
import type { Display } from './display.ts';

const everyMs = 500;

/** Shows an import's progress until it ends. */
export async function follow(imports: Imports, workflowId: string, show: Display): Promise<Ending> {
  let ended = false;
  const ending = imports.ending(workflowId).finally(() => {
    ended = true;
  });
  try {
    while (!ended) {
      // Asking needs a worker; while none runs there is nothing new to show.
      const progress = await imports.progress(workflowId).catch(() => null);
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
