import { constants } from 'node:os';

/** Ctrl-C, being told to end, and a terminal that is closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What comes sooner after the first is the same wish: npx hands on the Ctrl-C that the terminal has sent to all already. */
const sameWishMs = 1_000;

let leave: (() => void) | undefined;

/**
 * Until `untilStopped`, whoever stops this process ends it at once, but by `process.exit`: a signal's own way would run no
 * 'exit' listeners, and what was started would stay.
 */
export function leaveWhenStopped(exitCode: number): void {
  leave = () => process.exit(exitCode);
  for (const signal of signals) process.on(signal, leave);
}

/** Resolves at the first signal to stop; another one, a second or more later, ends the process at once. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let asked: number | undefined;
    const stop = () => {
      if (asked !== undefined && performance.now() - asked > sameWishMs) process.exit(130);
      asked ??= performance.now();
      resolve();
    };
    for (const signal of signals) {
      process.on(signal, stop);
      if (leave !== undefined) process.off(signal, leave);
    }
  });
}

/** While `work` goes on, whoever stops this process is left these words on standard error; it ends at once, as by the signal. */
export async function leavingWords<T>(words: () => string, work: () => Promise<T>): Promise<T> {
  const leave = (signal: NodeJS.Signals) => {
    // In a terminal the cursor stands behind "^C", or at the end of a line that is drawn over itself.
    const line = `${process.stderr.isTTY ? '\n' : ''}${words()}\n`;
    process.stderr.write(line, () => process.exit(128 + constants.signals[signal]));
  };
  for (const signal of signals) process.once(signal, leave);
  try {
    return await work();
  } finally {
    for (const signal of signals) process.off(signal, leave);
  }
}
