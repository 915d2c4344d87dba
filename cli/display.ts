import type { Trouble } from '../client/found-run.ts';
import type { Progress } from '../model/run.ts';
import { streams } from '../model/streams.ts';
import { visible } from './output.ts';
import { troubleInWords } from './run-words.ts';

/** Where an import's progress is shown. */
export interface Display {
  /** `trouble`: what it is held up by, if anything is known of that. */
  progress(progress: Progress, trouble?: Trouble | null): void;
  /** A line of its own, which stays. */
  note(line: string): void;
  end(): void;
}

export const noDisplay: Display = { progress() {}, note() {}, end() {} };

/**
 * A live line in a terminal; elsewhere a plain line at each change of state and every few seconds. `total` is the number
 * of journals expected, where it is known; Xero itself does not tell.
 */
export function displayOn(stream: NodeJS.WriteStream, total: number | null): Display {
  return stream.isTTY ? liveLine(stream, total) : plainLines((line) => stream.write(`${visible(line)}\n`));
}

/** Says lines on a stream, also while a display draws over its last one. */
export interface Voice {
  say(line: string): void;
  /** Shows progress as long as `work` takes; what is said meanwhile stands above it. */
  during<T>(total: number | null, work: (display: Display) => Promise<T>): Promise<T>;
}

export function createVoice(stream: NodeJS.WriteStream): Voice {
  let display: Display | null = null;
  return {
    say: (line) => (display ? display.note(line) : stream.write(`${visible(line)}\n`)),
    async during(total, work) {
      display = displayOn(stream, total);
      try {
        return await work(display);
      } finally {
        display = null;
      }
    },
  };
}

/** One line, drawn over itself. The cursor stays visible and signals are left alone: Ctrl-C may come at any time. */
function liveLine(stream: NodeJS.WriteStream, total: number | null): Display {
  const rate = createRate();
  let line = 'The import starts …';
  // A line longer than the terminal is wide would wrap, and be drawn anew on every row it took.
  const draw = () => stream.write(`\r\x1b[K${visible(line).slice(0, Math.max(20, stream.columns - 1))}`);
  draw();
  return {
    progress(progress, trouble = null) {
      const { admitted } = progress.totals;
      line = `${total === null ? '' : bar(admitted, total)}${admitted} ${rowsOf(progress)} · ${stateOf(progress, rate(admitted), trouble)}`;
      draw();
    },
    note(text) {
      stream.write(`\r\x1b[K${visible(text)}\n`);
      draw();
    },
    end: () => stream.write('\n'),
  };
}

function rowsOf({ run }: Progress): string {
  return run === null ? 'rows' : streams[run.stream].rows;
}

function bar(count: number, total: number): string {
  const part = total === 0 ? 1 : Math.min(1, count / total);
  const full = Math.round(part * 20);
  return `${'█'.repeat(full)}${'░'.repeat(20 - full)} ${Math.floor(part * 100)}% · `;
}

function plainLines(write: (line: string) => void): Display {
  const rate = createRate();
  let last = '';
  let lastAt = 0;
  let lastSaid = '';
  return {
    progress(progress, trouble = null) {
      const key = `${progress.status} ${progress.waitingUntil} ${trouble?.message}`;
      const { admitted } = progress.totals;
      const perSecond = rate(admitted);
      const due = progress.status === 'running' && Date.now() - lastAt > 2_000;
      if (key === last && !due) return;
      const said = `${admitted} ${rowsOf(progress)} · ${stateOf(progress, perSecond, trouble)}`;
      last = key;
      lastAt = Date.now();
      // What is held up may be so for a night, and each line is kept in somebody's log.
      if (said === lastSaid) return;
      lastSaid = said;
      write(`${new Date().toISOString().slice(11, 19)}  ${said}`);
    },
    note: write,
    end() {},
  };
}

/** What matters most comes first: a narrow terminal cuts the end off. */
function stateOf(progress: Progress, perSecond: number, trouble: Trouble | null): string {
  const { status, waitingFor, waitingUntil, dayRemaining, totals } = progress;
  if (waitingUntil !== null) return `${status}, goes on ${until(waitingUntil)}: ${waitingFor}`;
  if (waitingFor !== null) return `${status}: waits for ${waitingFor}`;
  if (trouble !== null) return troubleInWords(trouble);
  const speed = perSecond > 0 ? `${perSecond}/s · ` : '';
  const left = dayRemaining === null ? '' : ` · ${dayRemaining} calls left today`;
  return `${speed}${totals.calls} calls${left}`;
}

function until(instant: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(instant) - Date.now()) / 1_000));
  const [time, far] = [instant.slice(11, 19), seconds > 12 * 3_600];
  const wait = seconds < 120 ? `${seconds} s` : seconds < 7_200 ? `${Math.round(seconds / 60)} min` : null;
  return `at ${far ? `${instant.slice(0, 10)} ` : ''}${time} UTC (in ${wait ?? `${Math.round(seconds / 3_600)} h`})`;
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
