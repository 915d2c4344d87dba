import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import { connectOrganisation } from '../admin/connect.ts';
import { sandboxSettings } from '../cli/sandbox-file.ts';
import { createImports, type Imports } from '../client/imports.ts';
import { startPostgres } from '../embedded/postgres.ts';
import { startTemporal } from '../embedded/temporal.ts';
import { findTemporal } from '../embedded/temporal-executable.ts';
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

/** Servers and processes of one measurement, each a process of its own, as in production. */
export interface Bench {
  pool: pg.Pool;
  client: Client;
  imports: Imports;
  sandbox: SandboxInfo;
  worker: Measured;
  temporalPid: number;
  /** Connects each of the sandbox's organisations, as t0, t1 …; answers the names. */
  connectAll(): Promise<string[]>;
  /** An access token of the sandbox's, for comparisons that go past Daybook. */
  close(): Promise<void>;
}

interface Measured {
  pid: number;
  /** Peak resident memory, in megabytes. */
  peakMb(): number;
  /** Processor time used since it began, in milliseconds. */
  cpuMs(): number;
}

export async function startBench(sandboxArguments: string[]): Promise<Bench> {
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
    ['--import', 'tsx', join(root, 'sandbox/main.ts'), '--port', '0', ...sandboxArguments],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const sandbox = JSON.parse(
    String((await once(sandboxProcess.stdout as NodeJS.ReadableStream, 'data'))[0]),
  ) as SandboxInfo;
  const xero = sandboxSettings(sandbox);
  const worker = spawn(process.execPath, [join(root, 'bin/daybook.mjs'), 'worker'], {
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
  const pool = openPool(postgres.url, 5, () => {});
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection });
  return {
    pool,
    client,
    imports: createImports(client, 'xero-imports'),
    sandbox,
    worker: measured(worker.pid ?? 0),
    temporalPid: temporal.pid() ?? 0,
    async connectAll() {
      const names = [];
      for (const [index, { tenantId }] of sandbox.organisations.entries()) {
        const name = `t${index}`;
        const wanted = { name, applications: ['bench'], tenantId };
        await connectOrganisation({ pool, xero, tokenKeys, actor: 'bench' }, wanted, (address) =>
          consent(sandbox.url, address),
        );
        names.push(name);
      }
      return names;
    },
    async close() {
      await end(worker);
      await pool.end();
      await connection.close();
      await end(sandboxProcess);
      await temporal.stop();
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function consent(url: string, authorizeUrl: string): Promise<string> {
  const response = await fetch(`${url}/sandbox/consent`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ authorizeUrl }),
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
