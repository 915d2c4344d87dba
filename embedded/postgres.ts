import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { makeDataFolder } from './data-folder.ts';
import { launch } from './launch.ts';
import { lastLines } from './log-file.ts';
import { choosePort } from './ports.ts';
import { postgresAccount } from './postgres-account.ts';
import { clearPredecessor, createCluster, postgresBinaries, SUPERUSER } from './postgres-cluster.ts';
import { type Ownership, ownOrJoin, runningServer, type ServerState } from './shared-server.ts';
import { supervise } from './supervise.ts';

export interface EmbeddedPostgres {
  /** Connects as the cluster's superuser to the database `daybook`; holds the password, so it is a secret. */
  readonly url: string;
  /** Whether another process owns the server; then `stop` leaves it running. */
  readonly shared: boolean;
  pid(): number | undefined;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Daybook's data folder; the cluster lives in `postgres/` below it, the password and log beside it. */
  readonly dataDir: string;
  /** Taken literally; without it the port of the last time, 5433, or any free one. */
  readonly port?: number;
  readonly onLine: (line: string) => void;
  /** Off only where data may be lost on a power cut (tests). Default on. */
  readonly fsync?: boolean;
}

const NAME = 'postgres';
const DATABASE = 'daybook';
const PREFERRED_PORT = 5433;
const STOP_GRACE_MS = 20_000;

/**
 * Starts Postgres on this machine and keeps it running until `stop`, or joins the one another living process runs in
 * the same data folder. Rejects when it cannot be created or started, with the end of its log.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  makeDataFolder(dataDir);
  return ownOrJoin<EmbeddedPostgres>({
    name: NAME,
    dataDir,
    stopSignal: 'SIGINT',
    stopGraceMs: STOP_GRACE_MS,
    onLine: options.onLine,
    own: (ownership) => runPostgres({ ...options, dataDir }, ownership),
    join: async (state) => ({
      url: urlFor(state.port, readPassword(dataDir), DATABASE),
      shared: true,
      pid: () => runningServer(dataDir, NAME)?.child.pid,
      stop: async () => undefined,
    }),
  });
}

/** The address of the embedded Postgres if one runs in this data folder now; nothing is started. */
export function runningPostgres(dataDir: string): { url: string } | undefined {
  const folder = resolve(dataDir);
  const state: ServerState | undefined = runningServer(folder, NAME);
  return state && { url: urlFor(state.port, readPassword(folder), DATABASE) };
}

async function runPostgres(options: PostgresOptions, ownership: Ownership): Promise<EmbeddedPostgres> {
  const { dataDir, onLine, fsync = true } = options;
  const clusterDir = join(dataDir, 'postgres');
  const logFile = join(dataDir, 'postgres.log');
  const passwordFile = passwordFileIn(dataDir);
  const { postgres, initdb } = await postgresBinaries();
  const account = postgresAccount(clusterDir, postgres);
  await createCluster({ dataDir, clusterDir, passwordFile, initdb, account, fsync });
  await clearPredecessor(clusterDir, onLine);

  const password = readPassword(dataDir);
  const { port, release } = await choosePort('The embedded Postgres', options.port, [
    ownership.previous?.port,
    PREFERRED_PORT,
  ]);
  const server = await supervise({
    name: 'The embedded Postgres',
    launch: async () => {
      await clearPredecessor(clusterDir, onLine);
      return launch({
        command: postgres,
        args: ['-D', clusterDir, '-p', String(port), ...settings(fsync)],
        logFile,
        cwd: dataDir,
        deathSignal: 'SIGINT',
        account,
      });
    },
    untilReady: (signal) => untilReady(port, password, signal),
    onReady: (pid) => ownership.publish(pid, { port }),
    lastWords: () => lastLines(logFile),
    stopSignal: 'SIGINT',
    stopGraceMs: STOP_GRACE_MS,
    readyWithinMs: 120_000,
    onLine,
  }).catch((error) => {
    release();
    throw error;
  });
  return {
    url: urlFor(port, password, DATABASE),
    shared: false,
    pid: server.pid,
    stop: async () => {
      await server.stop();
      release();
      ownership.release();
    },
  };
}

function settings(fsync: boolean): string[] {
  const values: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    // A socket file would need a folder both we and the server's account may write to; TCP on loopback is enough.
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '256MB',
    // Xero's ids are random, so an import touches pages of its indexes all over, and after a checkpoint each is written to the
    // log as a whole: with Postgres's own settings a million journals were read ever slower.
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    // A young server writes each file of its log twice otherwise, first with zeros: a twentieth of what a first import costs.
    wal_init_zero: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(fsync ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Polls until the server takes connections, then makes sure that our database is there. */
async function untilReady(port: number, password: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const client = new pg.Client({
      connectionString: urlFor(port, password, 'postgres'),
      connectionTimeoutMillis: 5000,
    });
    // The server may go away under an open connection; without a listener that would end this process.
    client.on('error', () => undefined);
    try {
      await client.connect();
      const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
      if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
      // An application's login may connect to any database by default, and what it leaves there keeps its role from being dropped.
      await client.query('REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC');
      return;
    } catch (error) {
      // 28P01: a password that does not fit will not fit at the next try either.
      if ((error as { code?: string }).code === '28P01') throw passwordError(error);
      await sleep(50, undefined, { signal });
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

function passwordError(cause: unknown): Error {
  return new Error(
    'The embedded Postgres refuses the password kept in `postgres.password` in the data folder. Restore that file, or ' +
      'remove `postgres/` beside it to begin with an empty database (what was imported is fetched again).',
    { cause },
  );
}

function urlFor(port: number, password: string, database: string): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;
}

function passwordFileIn(dataDir: string): string {
  return join(dataDir, 'postgres.password');
}

function readPassword(dataDir: string): string {
  try {
    return readFileSync(passwordFileIn(dataDir), 'utf8').trim();
  } catch (error) {
    throw passwordError(error);
  }
}
