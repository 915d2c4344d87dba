import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { isRunning, type ProcessIdentity, thisProcess } from './process-table.ts';

/** The outcome of asking for a lock: held by us until `release`, or by `owner`, a process that runs. */
export type Lock = { readonly held: true; release(): void } | { readonly held: false; readonly owner: ProcessIdentity };

/**
 * Takes the lock file, or says who holds it. A lock whose process is gone (kill -9, power cut) is taken over. The file
 * is made by `link`, so that nobody ever reads a half-written one.
 */
export function takeLock(file: string): Lock {
  const mine = JSON.stringify(thisProcess());
  const own = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(own, mine, { mode: 0o600 });
  try {
    for (;;) {
      if (linked(own, file)) {
        return { held: true, release: () => releaseIfMine(file, mine) };
      }
      const text = readText(file);
      if (text === undefined) continue;
      const owner = parseOwner(text);
      if (owner !== undefined && isRunning(owner)) return { held: false, owner };
      removeStale(file, text, own);
    }
  } finally {
    unlinkSync(own);
  }
}

/** The running process that holds the lock, if any. */
export function lockOwner(file: string): ProcessIdentity | undefined {
  const text = readText(file);
  const owner = text === undefined ? undefined : parseOwner(text);
  return owner !== undefined && isRunning(owner) ? owner : undefined;
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Two processes may judge the same lock stale; the slower one must not remove the lock the faster one has just made.
 * So the file is moved aside, looked at again, and put back when it is not the one that was judged.
 */
function removeStale(file: string, judged: string, own: string): void {
  const aside = `${own}.stale`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readText(aside) !== judged) linked(aside, file);
  unlinkSync(aside);
}

function releaseIfMine(file: string, mine: string): void {
  if (readText(file) === mine) unlinkSync(file);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseOwner(text: string): ProcessIdentity | undefined {
  try {
    const value = JSON.parse(text) as Partial<ProcessIdentity>;
    return typeof value.pid === 'number' && typeof value.started === 'string'
      ? { pid: value.pid, started: value.started }
      : undefined;
  } catch {
    return undefined;
  }
}
