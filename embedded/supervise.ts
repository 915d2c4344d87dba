import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Supervised {
  /** The pid of the running server; undefined between two lives and after `stop`. */
  pid(): number | undefined;
  /** Ends the server and does not start it again. Calling it twice is fine. */
  stop(): Promise<void>;
}

export interface Server {
  readonly name: string;
  /** Starts one process; called again for each new life. */
  launch(): Promise<ChildProcess>;
  /** Resolves when the server truly serves. The signal aborts when waiting has become pointless. */
  untilReady(signal: AbortSignal): Promise<void>;
  /** Called after each successful start. */
  onReady(pid: number): void;
  /** Why a process that ended before it was ready may have done so: the end of its log. */
  lastWords(): string;
  readonly stopSignal: NodeJS.Signals;
  /** How long a stopping server may take before it is killed. */
  readonly stopGraceMs: number;
  /** How long a start may take. */
  readonly readyWithinMs: number;
  readonly onLine: (line: string) => void;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

interface Life {
  readonly child: ChildProcess;
  readonly ended: Promise<string>;
}

/**
 * Starts a server and keeps it running: when it dies unexpectedly it is started again, with growing pauses, until
 * `stop`. Rejects only when the first start fails.
 */
export async function supervise(server: Server): Promise<Supervised> {
  const stopping = new AbortController();
  let life: Life | undefined = await begin(server, stopping.signal);

  const keepRunning = async () => {
    let pause = FIRST_PAUSE_MS;
    while (life !== undefined) {
      const since = performance.now();
      const how = await life.ended;
      life = undefined;
      if (stopping.signal.aborted) return;
      server.onLine(`${server.name} ended unexpectedly (${how}); starting it again.`);
      if (performance.now() - since > 60_000) pause = FIRST_PAUSE_MS;
      while (life === undefined && !stopping.signal.aborted) {
        await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        if (stopping.signal.aborted) return;
        try {
          life = await begin(server, stopping.signal);
          // stop() may have come while it started, when there was no life to end.
          if (stopping.signal.aborted) return await end(life, server);
          server.onLine(`${server.name} is back.`);
        } catch (error) {
          if (!stopping.signal.aborted) server.onLine(`${server.name} is not back yet: ${messageOf(error)}`);
        }
      }
    }
  };
  const kept = keepRunning();

  return {
    pid: () => life?.child.pid,
    stop: async () => {
      stopping.abort();
      if (life !== undefined) await end(life, server);
      await kept;
    },
  };
}

/** One life: launched and ready, or thrown with the last lines of the log and nothing left running. */
async function begin(server: Server, stopping: AbortSignal): Promise<Life> {
  const child = await server.launch();
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
  });
  // For a process that exits without stop(), also during the start: one signal can still be sent, nothing can be awaited.
  const onExit = () => child.kill(server.stopSignal);
  process.once('exit', onExit);
  void ended.then(() => process.removeListener('exit', onExit));
  const life = { child, ended };
  const waiting = new AbortController();
  const signal = AbortSignal.any([waiting.signal, stopping]);
  try {
    await Promise.race([
      server.untilReady(signal),
      ended.then((how) => {
        throw new Error(`${server.name} ended while starting (${how}).`);
      }),
      sleep(server.readyWithinMs, undefined, { signal }).then(() => {
        throw new Error(`${server.name} did not answer within ${server.readyWithinMs / 1000} seconds.`);
      }),
    ]);
    if (child.pid !== undefined) server.onReady(child.pid);
    return life;
  } catch (error) {
    await end(life, server);
    throw new Error(`${messageOf(error)} The end of its log:\n${server.lastWords()}`, { cause: error });
  } finally {
    waiting.abort();
  }
}

async function end(life: Life, server: Server): Promise<void> {
  life.child.kill(server.stopSignal);
  const overdue = setTimeout(() => life.child.kill('SIGKILL'), server.stopGraceMs);
  await life.ended;
  clearTimeout(overdue);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
