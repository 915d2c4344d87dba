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
  let child: ChildProcess;
  let stopping = false;
  let ended: Promise<void>;
  let pauseMs = firstPauseMs;

  function start(): void {
    const since = performance.now();
    child = spawn(process.execPath, [command, 'worker'], {
      env: { ...environment },
      // The channel tells the worker when this process is gone, however it went.
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Ctrl-C in the terminal is for us: the worker hears of it by `stop`, once.
      detached: true,
    });
    const { pid } = child;
    child.once('message', () => onLine(`The worker is ready (process ${pid}).`));
    ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve();
        if (stopping) return;
        if (performance.now() - since > goodLifeMs) pauseMs = firstPauseMs;
        onLine(`The worker ended (${signal ?? `exit code ${code}`}); it is started again.`);
        setTimeout(() => {
          if (!stopping) start();
        }, pauseMs);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      });
    });
  }

  // Who lets this process end without waiting for `stop` does not wait for pages in flight; a killed worker's are read again.
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  start();
  return {
    pid: () => (child.exitCode === null && child.signalCode === null ? child.pid : undefined),
    async stop() {
      stopping = true;
      child.kill('SIGTERM');
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
