import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** All executables of this name in the folders of a PATH, in its order. */
export function findOnPath(name: string, path: string | undefined): string[] {
  return (path ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .filter(isExecutable);
}

/** The first line a command prints, or undefined when it cannot be run, fails, or takes over ten seconds. */
export function firstLineOf(command: string, args: readonly string[]): string | undefined {
  if (!isExecutable(command)) return undefined;
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] });
  return result.status === 0 ? result.stdout.split('\n')[0] : undefined;
}

export interface Finished {
  /** The exit code; undefined when it was killed or could not be started. */
  readonly code: number | undefined;
  /** The end of what it printed, both streams. */
  readonly output: string;
}

/**
 * Runs a command to its end and never rejects. `tick` is called every `tickMs` with the milliseconds so far; when it
 * returns false the command, with all its children, is killed.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd'> & {
    env: Readonly<Record<string, string | undefined>>;
    tickMs: number;
    tick: (elapsedMs: number) => boolean;
  },
): Promise<Finished> {
  return new Promise((resolve) => {
    // A session of its own, so that the whole family can be killed by one signal.
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const killAll = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // They have ended by themselves.
      }
    };
    let output = '';
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4000);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    const began = performance.now();
    const ticking = setInterval(() => {
      if (!options.tick(performance.now() - began)) killAll();
    }, options.tickMs);
    process.once('exit', killAll);
    const finish = (code: number | undefined) => {
      clearInterval(ticking);
      process.removeListener('exit', killAll);
      resolve({ code, output: output.trim() });
    };
    child.once('error', (error) => {
      output += error.message;
      finish(undefined);
    });
    child.once('close', (code) => finish(code ?? undefined));
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
