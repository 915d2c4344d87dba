import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../config/config.ts';

const command = fileURLToPath(new URL('../bin/daybook.mjs', import.meta.url));
const firstPauseMs = 1_000;
const longestPauseMs = 15_000;
/** A worker that lived this long was well: the next pause is short again. */
const goodLifeMs = 60_000;

/** A worker in a process of its own, which is started again whenever it ends before `stop`. */
export interface WorkerProcess {
  pid(): number | undefined;
  stop(): Promise<void>;
}

/** Starts a worker; `environment` is all it is told. Resolves at once: a worker waits by itself for its servers. */
export function keepWorkerRunning(environment: Environment, onLine: (line: string) => void): WorkerProcess {
  let child: ChildProcess | undefined;
  let stopping = false;
  let ended: Promise<void>;
  let pauseMs = firstPauseMs;

  /** Resolves with how it ended; rejects when it cannot be started, which spawn tells of some errors by throwing, of others later. */
  function live(): Promise<string> {
    return new Promise((resolve, reject) => {
      child = undefined;
      const started = spawn(process.execPath, [command, 'worker'], {
        env: { ...environment },
        // The channel tells the worker when this process is gone, however it went.
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        // Ctrl-C in the terminal is for us: the worker hears of it by `stop`, once.
        detached: true,
      });
      child = started;
      const { pid } = started;
      started.once('message', () => onLine(`The worker is ready (process ${pid}).`));
      started.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
      // Of one that runs it says that it could not be spoken to: its end, or that of the channel, says the rest.
      started.on('error', (error) => {
        if (pid === undefined) reject(error);
      });
    });
  }

  function start(): void {
    const since = performance.now();
    ended = live()
      .then(
        (how) => `The worker ended (${how}); it is started again.`,
        (error: Error) => `The worker cannot be started (${error.message}); it is tried again.`,
      )
      .then((sentence) => {
        if (stopping) return;
        if (performance.now() - since > goodLifeMs) pauseMs = firstPauseMs;
        onLine(sentence);
        setTimeout(() => {
          if (!stopping) start();
        }, pauseMs);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      });
  }

  // Who lets this process end without waiting for `stop` does not wait for pages in flight; a killed worker's are read again.
  const onExit = () => child?.kill('SIGKILL');
  process.once('exit', onExit);
  start();
  return {
    pid: () => (child?.exitCode === null && child.signalCode === null ? child.pid : undefined),
    async stop() {
      stopping = true;
      child?.kill('SIGTERM');
      await ended;
      process.removeListener('exit', onExit);
    },
  };
}

/** For the worker: tells the process that keeps it running that it takes work. Nobody, when it was started by hand. */
export function tellParent(): void {
  process.send?.('ready');
}

/** For the worker: ends it, as SIGTERM would, with the process that keeps it running; nobody else would ever stop it. */
export function endWithParent(): void {
  if (process.connected === undefined) return;
  // It went while this worker was being loaded, when nobody listened.
  if (!process.connected) process.exit();
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // Listening alone must not keep a worker alive that is done.
  process.channel?.unref();
}
