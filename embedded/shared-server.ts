import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockOwner, takeLock } from './lock.ts';
import { identify, isRunning, type ProcessIdentity, terminate, thisProcess } from './process-table.ts';

/** What `<dataDir>/<name>.json` says: who looks after the server, which process it is, and where it listens. */
export interface ServerState {
  readonly owner: ProcessIdentity;
  readonly child: ProcessIdentity;
  readonly port: number;
  readonly uiPort?: number;
}

/** What the owner of a data folder may do with it. */
export interface Ownership {
  /** The state the last owner left; its ports are worth keeping. */
  readonly previous: ServerState | undefined;
  /** Tells other processes where the server is; called after each start. */
  publish(pid: number, ports: { port: number; uiPort?: number }): void;
  /** Gives the folder up, after the server has been stopped. */
  release(): void;
}

export interface SharedServer<T> {
  readonly name: string;
  readonly dataDir: string;
  readonly stopSignal: NodeJS.Signals;
  readonly stopGraceMs: number;
  readonly onLine: (line: string) => void;
  own(ownership: Ownership): Promise<T>;
  join(state: ServerState): Promise<T>;
}

const JOIN_WITHIN_MS = 120_000;

/**
 * One server a data folder, however many processes want it: the first one owns and supervises it, later ones join it
 * as long as the owner lives. A server left behind by an owner that was killed is stopped first, because nobody would
 * start it again when it died.
 */
export async function ownOrJoin<T>(server: SharedServer<T>): Promise<T> {
  const lockFile = join(server.dataDir, `${server.name}.lock`);
  const deadline = performance.now() + JOIN_WITHIN_MS;
  for (;;) {
    const lock = takeLock(lockFile);
    if (lock.held) {
      try {
        return await server.own(await takeOver(server, lock.release));
      } catch (error) {
        lock.release();
        throw error;
      }
    }
    const state = readState(server.dataDir, server.name);
    if (state !== undefined && isSame(state.owner, lock.owner) && isRunning(state.child)) return server.join(state);
    if (performance.now() > deadline) {
      throw new Error(
        `Process ${lock.owner.pid} looks after the embedded ${server.name} in ${server.dataDir} but has not got it ` +
          'running for two minutes. Look at its output, or stop it and try again.',
      );
    }
    await sleep(100);
  }
}

async function takeOver<T>(server: SharedServer<T>, release: () => void): Promise<Ownership> {
  const { dataDir, name } = server;
  const previous = readState(dataDir, name);
  if (previous !== undefined && isRunning(previous.child)) {
    server.onLine(`An embedded ${name} was left running by a process that was killed; stopping it first.`);
    await terminate(previous.child, server.stopSignal, server.stopGraceMs);
  }
  return {
    previous,
    publish: (pid, ports) => {
      const child = identify(pid);
      if (child !== undefined) writeState(dataDir, name, { owner: thisProcess(), child, ...ports });
    },
    release,
  };
}

/** The server of this folder if one runs and somebody looks after it. */
export function runningServer(dataDir: string, name: string): ServerState | undefined {
  const owner = lockOwner(join(dataDir, `${name}.lock`));
  const state = readState(dataDir, name);
  return owner !== undefined && state !== undefined && isSame(owner, state.owner) && isRunning(state.child)
    ? state
    : undefined;
}

function readState(dataDir: string, name: string): ServerState | undefined {
  try {
    // Written by us, whole or not at all (rename), in a folder only we write to.
    return JSON.parse(readFileSync(join(dataDir, `${name}.json`), 'utf8')) as ServerState;
  } catch {
    return undefined;
  }
}

function writeState(dataDir: string, name: string, state: ServerState): void {
  const file = join(dataDir, `${name}.json`);
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}

function isSame(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.started === b.started;
}
