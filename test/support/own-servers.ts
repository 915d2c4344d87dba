import { rmSync } from 'node:fs';
import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { connectOrganisation } from '../../admin/connect.ts';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import { keepWorkerRunning, type WorkerProcess } from '../../cli/worker-process.ts';
import { createImports, type Imports } from '../../client/imports.ts';
import { type EmbeddedPostgres, startPostgres } from '../../embedded/postgres.ts';
import { type EmbeddedTemporal, startTemporal } from '../../embedded/temporal.ts';
import { type Organisation, type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/server.ts';
import { migrate } from '../../storage/migrate.ts';
import { openPool } from '../../storage/pool.ts';
import { createDataFolder } from './data-folder.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { provided } from './provided.ts';
import { connectTemporal } from './temporal.ts';

/** Servers of a test's own, with real syncs, supervised as `daybook up` does it: for tests that kill them. */
export interface OwnServers {
  readonly postgres: EmbeddedPostgres;
  readonly temporal: EmbeddedTemporal;
  /** Stands between the worker and Postgres. */
  readonly wire: FaultProxy;
  readonly worker: WorkerProcess;
  readonly sandbox: Sandbox;
  readonly organisation: Organisation;
  readonly pool: pg.Pool;
  readonly client: Client;
  readonly imports: Imports;
  /** What the supervisors said. */
  readonly lines: string[];
  close(): Promise<void>;
}

const tokenKeys = `k1:${Buffer.alloc(32, 7).toString('base64')}`;

/** Also connects the sandbox's organisation as "acme" for the application "planning", and starts a worker. */
export async function startOwnServers(sandboxOptions: SandboxOptions): Promise<OwnServers> {
  const dataDir = await createDataFolder('own');
  const lines: string[] = [];
  const onLine = (line: string) => lines.push(line);
  const [postgres, temporal, sandbox] = await Promise.all([
    startPostgres({ dataDir, onLine }),
    startTemporal({ dataDir, executable: provided('temporalExecutable'), onLine }),
    startSandbox(sandboxOptions),
  ]);
  const [organisation] = sandbox.organisations;
  if (!organisation) throw new Error('The sandbox has no organisation.');
  await migrate(postgres.url);
  const pool = openPool(postgres.url, 3, () => undefined);
  const xero = sandboxSettings(sandbox);
  await connectOrganisation(
    { pool, xero, tokenKeys, actor: 'test', now: () => Date.now() },
    { name: 'acme', applications: ['planning'] },
    async (address) => sandbox.consent(address, { tenantIds: [organisation.tenantId] }),
  );
  const { hostname, port } = new URL(postgres.url);
  const wire = await startFaultProxy({ host: hostname, port: Number(port) });
  const throughWire = new URL(postgres.url);
  throughWire.port = String(wire.port);
  const worker = keepWorkerRunning(
    {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DATABASE_URL: throughWire.href,
      TEMPORAL_ADDRESS: temporal.address,
      XERO_CLIENT_ID: xero.clientId,
      XERO_CLIENT_SECRET: xero.clientSecret,
      XERO_API_URL: xero.apiUrl,
      XERO_IDENTITY_URL: xero.identityUrl,
      XERO_LOGIN_URL: xero.loginUrl,
      DAYBOOK_TOKEN_KEYS: tokenKeys,
      DAYBOOK_DATA_DIR: dataDir,
      DAYBOOK_LOG_LEVEL: 'silent',
    },
    onLine,
  );
  const connection = await connectTemporal(temporal.address);
  return {
    postgres,
    temporal,
    wire,
    worker,
    sandbox,
    organisation,
    pool,
    client: connection.client,
    imports: createImports(connection.client, 'xero-imports'),
    lines,
    async close() {
      await worker.stop();
      await connection.close();
      await pool.end();
      await wire.close();
      await sandbox.close();
      await Promise.all([postgres.stop(), temporal.stop()]);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
