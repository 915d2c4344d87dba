import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../config/config.ts';

const command = fileURLToPath(new URL('../bin/daybook.mjs', import.meta.url));
const restartAfterMs = 1_000;

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

  function start(): void {
    child = spawn(process.execPath, [command, 'worker'], {
      env: { ...environment },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve();
        if (stopping) return;
        onLine(`The worker ended (${signal ?? `exit code ${code}`}); it is started again.`);
        setTimeout(() => {
          if (!stopping) start();
        }, restartAfterMs);
      });
    });
  }

  start();
  return {
    pid: () => (child.exitCode === null && child.signalCode === null ? child.pid : undefined),
    async stop() {
      stopping = true;
      child.kill('SIGTERM');
      await ended;
    },
  };
}
