import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

export interface TestProcess {
  readonly pid: number;
  /** All it has printed so far, both streams in the order they came. */
  output(): string;
  /** Resolves with the first line (past or coming) that matches; rejects with the output when it ends or takes too long. */
  line(pattern: RegExp, withinMs?: number): Promise<string>;
  /** Types a line into its standard input, which is closed from the start unless `typing` was asked for. */
  type(line: string): void;
  /** SIGKILL, and waits until it is gone. */
  kill9(): Promise<void>;
  /** Sends a signal and waits for the end, whose exit code it returns (null when a signal ended it). */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** What Ctrl-C in its terminal does: SIGINT for it and for all it has started that are in its group. Asks for `inTerminal`. */
  ctrlC(): void;
  /** Resolves with the exit code (null when a signal ended it). */
  readonly exited: Promise<number | null>;
}

const checkout = resolve(import.meta.dirname, '../..');

/**
 * Runs a script of ours (a path from the checkout, or an absolute one) with Node, as a user would. The
 * environment is the given one plus PATH and HOME only, so that nothing of the developer's own set-up decides a test.
 */
export function runProcess(
  script: string,
  options: {
    args?: readonly string[];
    env?: Record<string, string>;
    cwd?: string;
    typing?: boolean;
    /** The first of a process group of its own, as a shell starts what is typed in a terminal. */
    inTerminal?: boolean;
  } = {},
): TestProcess {
  const runner = script.endsWith('.mjs') ? [] : [resolve(checkout, 'bin/run.mjs')];
  const child = spawn(process.execPath, [...runner, resolve(checkout, script), ...(options.args ?? [])], {
    cwd: options.cwd ?? checkout,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...options.env },
    stdio: [options.typing ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    detached: options.inTerminal ?? false,
  });
  let output = '';
  const watchers = new Set<() => void>();
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
    for (const watcher of watchers) watcher();
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  // It may have ended before it read all.
  child.stdin?.on('error', () => undefined);
  const exited = new Promise<number | null>((done) => {
    child.once('error', (error) => {
      output += error.message;
      done(null);
    });
    child.once('close', (code) => done(code));
  });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  // A test that fails before it ends its processes must not leave them to the next one.
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  void exited.then(() => process.removeListener('exit', onExit));
  return {
    pid: child.pid ?? -1,
    output: () => output,
    exited,
    ctrlC: () => void process.kill(-(child.pid ?? Number.NaN), 'SIGINT'),
    type: (line) => void child.stdin?.write(`${line}\n`),
    end,
    kill9: async () => {
      await end('SIGKILL');
    },
    line: (pattern, withinMs = 30_000) =>
      new Promise((found, fail) => {
        const settle = (act: () => void) => {
          watchers.delete(look);
          clearTimeout(overdue);
          act();
        };
        const look = () => {
          // The last piece may be half a line yet.
          const hit = output
            .split('\n')
            .slice(0, -1)
            .find((line) => pattern.test(line));
          if (hit !== undefined) settle(() => found(hit));
        };
        const overdue = setTimeout(
          () =>
            settle(() => fail(new Error(`${script} printed no line like ${pattern} in ${withinMs} ms:\n${output}`))),
          withinMs,
        );
        watchers.add(look);
        look();
        void exited.then((code) => {
          look();
          settle(() => fail(new Error(`${script} ended (${code}) without a line like ${pattern}:\n${output}`)));
        });
      }),
  };
}
