import { setTimeout as sleep } from 'node:timers/promises';
import { Presets, SingleBar } from 'cli-progress';
import type { Ending, Imports } from '../client/imports.ts';
import type { Progress } from '../model/run.ts';

const everyMs = 500;

/** Shows an import's progress until it ends: a live bar in a terminal, a plain line at each change of state elsewhere. */
export async function follow(imports: Imports, workflowId: string, show: Display): Promise<Ending> {
  let ended = false;
  const ending = imports.ending(workflowId).finally(() => {
    ended = true;
  });
  // The query needs a worker; while none runs there is nothing new to show.
  while (!ended) {
    const progress = await imports.progress(workflowId).catch(() => null);
    if (progress && !ended) show.progress(progress);
    await Promise.race([ending.catch(() => null), sleep(everyMs)]);
  }
  show.end();
  return ending;
}

export interface Display {
  progress(progress: Progress): void;
  end(): void;
}

export function terminalDisplay(stream: NodeJS.WriteStream, total: number | null): Display {
  return stream.isTTY ? bar(stream, total) : lines((line) => stream.write(`${line}\n`));
}

export const noDisplay: Display = { progress() {}, end() {} };

/** `total` is the number of journals expected, where it is known; Xero itself does not tell. */
function bar(stream: NodeJS.WriteStream, total: number | null): Display {
  const live = new SingleBar(
    {
      stream,
      format: total === null ? '{count} journals · {state}' : '{bar} {percentage}% · {count} journals · {state}',
      hideCursor: true,
      forceRedraw: true,
      barsize: 30,
    },
    Presets.shades_classic,
  );
  const rate = createRate();
  live.start(total ?? 1, 0, { count: 0, state: 'starting' });
  return {
    progress(progress) {
      const { admitted } = progress.totals;
      live.update(total === null ? 0 : Math.min(total, admitted), {
        count: admitted,
        state: stateOf(progress, rate(admitted)),
      });
    },
    end: () => live.stop(),
  };
}

function lines(write: (line: string) => void): Display {
  const rate = createRate();
  let last = '';
  let lastAt = 0;
  return {
    progress(progress) {
      const key = `${progress.status} ${progress.waitingUntil}`;
      const { admitted } = progress.totals;
      const perSecond = rate(admitted);
      const due = progress.status === 'running' && Date.now() - lastAt > 2_000;
      if (key === last && !due) return;
      last = key;
      lastAt = Date.now();
      write(`${new Date().toISOString().slice(11, 19)}  ${admitted} journals · ${stateOf(progress, perSecond)}`);
    },
    end() {},
  };
}

function stateOf(progress: Progress, perSecond: number): string {
  const { status, waitingFor, waitingUntil, dayRemaining, totals } = progress;
  const left = dayRemaining === null ? '' : ` · ${dayRemaining} calls left today`;
  if (waitingUntil !== null) return `suspended: ${waitingFor}; goes on by itself at ${waitingUntil}`;
  if (waitingFor !== null) return `${status}: waits for ${waitingFor}`;
  return `${perSecond}/s · ${totals.calls} calls${left}`;
}

/** Journals a second over the last few seconds. */
function createRate(): (count: number) => number {
  const seen: { at: number; count: number }[] = [];
  return (count) => {
    seen.push({ at: Date.now(), count });
    while (seen.length > 2 && Date.now() - (seen[0]?.at ?? 0) > 5_000) seen.shift();
    const first = seen[0];
    const ms = Date.now() - (first?.at ?? 0);
    return first && ms > 0 ? Math.round(((count - first.count) / ms) * 1_000) : 0;
  };
}
