import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOnPath, firstLineOf } from './commands.ts';
import { type Lock, takeLock } from './lock.ts';
import { buildTemporal } from './temporal-build.ts';
import { downloadTemporal } from './temporal-download.ts';

/** One way to get the executable to `target`; resolves false when this way is not open on this machine. */
export type TemporalSource = (options: {
  readonly target: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onLine: (line: string) => void;
}) => Promise<boolean>;

export interface FindTemporalOptions {
  /** Where an executable that was fetched or built is kept for the next time. */
  readonly binDir: string;
  /** The environment: PATH to look in, and what the download and Go need (proxies, HOME, GOPROXY …). */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onLine: (line: string) => void;
  /** Tried in turn when neither PATH nor `binDir` has it. Default: Temporal's download, then a build with Go. */
  readonly sources?: readonly TemporalSource[];
}

/**
 * The path of a `temporal` command that runs: on PATH, in `binDir`, downloaded, or built. Processes asking at once wait
 * for one of them to fetch it. Rejects with what to install when there is no way.
 */
export async function findTemporal(options: FindTemporalOptions): Promise<string> {
  const { binDir, env, onLine, sources = [downloadTemporal, buildTemporal] } = options;
  for (const candidate of findOnPath('temporal', env.PATH)) {
    if (runs(candidate)) return candidate;
    onLine(`${candidate} is on PATH but does not run; looking further.`);
  }
  const target = join(binDir, process.platform === 'win32' ? 'temporal.exe' : 'temporal');
  if (runs(target)) return target;

  mkdirSync(binDir, { recursive: true });
  const lock = await waitForLock(join(binDir, 'temporal.lock'), onLine);
  try {
    // Another process may have fetched it while we waited.
    if (runs(target)) return target;
    removeUnfinished(binDir);
    for (const source of sources) {
      if ((await source({ target, env, onLine })) && runs(target)) return target;
    }
  } finally {
    lock.release();
  }
  throw new Error(
    'Daybook found no Temporal server to start: the `temporal` command is not on PATH, it could not be downloaded, and ' +
      'it could not be built. Install it (https://docs.temporal.io/cli: `brew install temporal`, or the archive from ' +
      'https://github.com/temporalio/cli/releases put on PATH), or install Go so that Daybook can build it, or set ' +
      'TEMPORAL_ADDRESS to a Temporal server that runs.',
  );
}

function runs(executable: string): boolean {
  return firstLineOf(executable, ['--version'])?.startsWith('temporal version') ?? false;
}

/** Removes what a download or a build left that was interrupted. Only for who holds the lock: others may be at work in theirs. */
function removeUnfinished(binDir: string): void {
  for (const name of readdirSync(binDir)) {
    if (/^(download|build)-/.test(name)) rmSync(join(binDir, name), { recursive: true, force: true });
  }
}

async function waitForLock(file: string, onLine: (line: string) => void): Promise<Extract<Lock, { held: true }>> {
  for (let told = false; ; told = true) {
    const lock = takeLock(file);
    if (lock.held) return lock;
    if (!told) onLine(`Process ${lock.owner.pid} is fetching the Temporal server already; waiting for it.`);
    await sleep(250);
  }
}
