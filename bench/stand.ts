import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import { connectOrganisation } from '../admin/connect.ts';
import { sandboxSettings } from '../cli/sandbox-file.ts';
import { createImports, type Imports, type StartedWorkflow } from '../client/imports.ts';
import { startPostgres } from '../embedded/postgres.ts';
import { startTemporal } from '../embedded/temporal.ts';
import { findTemporal } from '../embedded/temporal-executable.ts';
import { findConnection, storeConnection } from '../storage/connections.ts';
import { migrate } from '../storage/migrate.ts';
import { openPool } from '../storage/pool.ts';

const root = resolve(import.meta.dirname, '..');
const tokenKeys = `k1:${Buffer.alloc(32, 5).toString('base64')}`;

interface SandboxInfo {
  url: string;
  clientId: string;
  clientSecret: string;
  organisations: { tenantId: string; name: string }[];
}

/** For the sandbox: what no import of the bench comes near to. */
export const noLimits = [
  ...['--minute-limit', '10000000'],
  ...['--day-limit', '10000000'],
  ...['--app-minute-limit', '10000000'],
];

/** Servers and processes of one measurement, each a process of its own, as in production. */
export interface Bench {
  pool: pg.Pool;
  client: Client;
  imports: Imports;
  sandbox: SandboxInfo;
  /** The worker's process. */
  worker: () => Measured;
  temporal: Measured;
  /** Starts the worker that was to begin later. */
  startWorker(): void;
  /** Connects each of the sandbox's organisations, as t0, t1 …; answers the names. */
  connectAll(): Promise<string[]>;
  /**
   * Waits until Postgres does nothing: the counting of tables behind an import must not fall into what is measured next, nor what it does
   * by itself.
   */
  atRest(): Promise<void>;
  /** Starts an import of all journals through each connection. */
  startAll(connections: string[]): Promise<StartedWorkflow[]>;
  close(): Promise<void>;
}

interface Measured {
  pid: number;
  /** Peak resident memory, in megabytes. */
  peakMb(): number;
  /** Processor time used since it began, in milliseconds. */
  cpuMs(): number;
}

export async function startBench(
  sandboxArguments: string[],
  { worker: begins = 'atOnce' }: { worker?: 'atOnce' | 'later' } = {},
): Promise<Bench> {
  const dataDir = mkdtempSync(join(tmpdir(), 'daybook-bench-'));
  const say = () => {};
  const executable = await findTemporal({
    binDir: join(root, '.daybook/bin'),
    env: process.env,
    onLine: console.error,
  });
  const [temporal, postgres] = await Promise.all([
    startTemporal({ executable, dataDir, onLine: say }),
    startPostgres({ dataDir, onLine: say }),
  ]);
  await migrate(postgres.url);
  const sandboxProcess = spawn(
    process.execPath,
    ['bin/run.mjs', 'sandbox/main.ts', '--port', '0', ...sandboxArguments],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: sandboxProcess.stdout as NodeJS.ReadableStream });
  const sandbox = JSON.parse(String((await once(lines, 'line'))[0])) as SandboxInfo;
  const xero = sandboxSettings(sandbox);
  const spawnWorker = () =>
    spawn(process.execPath, [join(root, 'bin/daybook.mjs'), 'worker'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env.PATH,
        MALLOC_ARENA_MAX: '2',
        HOME: process.env.HOME,
        DATABASE_URL: postgres.url,
        TEMPORAL_ADDRESS: temporal.address,
        XERO_CLIENT_ID: xero.clientId,
        XERO_CLIENT_SECRET: xero.clientSecret,
        XERO_API_URL: sandbox.url,
        XERO_IDENTITY_URL: sandbox.url,
        XERO_LOGIN_URL: sandbox.url,
        DAYBOOK_TOKEN_KEYS: tokenKeys,
        DAYBOOK_DATA_DIR: dataDir,
        DAYBOOK_LOG_LEVEL: 'warn',
      },
    });
  let worker = begins === 'atOnce' ? spawnWorker() : null;
  const pool = openPool(postgres.url, 5, () => {});
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection });
  const imports = createImports(client, 'xero-imports');
  return {
    pool,
    client,
    imports,
    sandbox,
    worker: () => measured(worker?.pid ?? 0),
    temporal: measured(temporal.pid() ?? 0),
    startWorker() {
      worker ??= spawnWorker();
    },
    async connectAll() {
      const [first] = sandbox.organisations;
      if (!first) throw new Error('The sandbox has no organisation.');
      const wanted = { name: 't0', applications: ['bench'], tenantId: first.tenantId };
      const tenantIds = sandbox.organisations.map(({ tenantId }) => tenantId);
      await connectOrganisation({ pool, xero, tokenKeys, actor: 'bench', now: () => Date.now() }, wanted, (address) =>
        consent(sandbox.url, address, tenantIds),
      );
      const authorisationId = (await findConnection(pool, 't0'))?.authorisationId ?? '';
      // One consent covers them all: a thousand of them would be a measurement of its own.
      for (const [index, { tenantId, name }] of sandbox.organisations.entries()) {
        await storeConnection(pool, {
          name: `t${index}`,
          authorisationId,
          tenantId,
          tenantName: name,
          xeroConnectionId: null,
          applications: ['bench'],
        });
      }
      return sandbox.organisations.map((_, index) => `t${index}`);
    },
    async atRest() {
      for (;;) {
        const { rowCount } = await pool.query(
          `select from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and datname = current_database()`,
        );
        if (rowCount === 0) return;
        await sleep(50);
      }
    },
    async startAll(connections) {
      const started: StartedWorkflow[] = [];
      for (let from = 0; from < connections.length; from += 25) {
        const some = connections.slice(from, from + 25);
        started.push(
          ...(await Promise.all(some.map((connection) => imports.startJournals({ connection, application: 'bench' })))),
        );
      }
      return started;
    },
    async close() {
      if (worker) await end(worker);
      await pool.end();
      await connection.close();
      await end(sandboxProcess);
      await temporal.stop();
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** An access token of the sandbox's own, for a loop that has nothing to do with connections. */
export async function mint(sandbox: SandboxInfo, scope: string): Promise<string> {
  const minted = await fetch(`${sandbox.url}/connect/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`daybook-sandbox-custom:${sandbox.clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: String(new URLSearchParams({ grant_type: 'client_credentials', scope })),
  });
  return ((await minted.json()) as { access_token: string }).access_token;
}

async function consent(url: string, authorizeUrl: string, tenantIds: string[]): Promise<string> {
  const response = await fetch(`${url}/sandbox/consent`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ authorizeUrl, tenantIds }),
  });
  return ((await response.json()) as { redirect: string }).redirect;
}

function measured(pid: number): Measured {
  const status = (name: string) =>
    new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    pid,
    peakMb: () => Math.round(Number(status('VmHWM')) / 1_000),
    cpuMs() {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
