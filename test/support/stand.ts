import { rmSync } from 'node:fs';
import { DefaultLogger, Runtime, type Worker as TemporalWorker } from '@temporalio/worker';
import { createAfterwards } from '../../activities/afterwards.ts';
import { createActivities } from '../../activities/index.ts';
import { createMeters } from '../../activities/meters.ts';
import { createPermits } from '../../activities/permits.ts';
import { connectOrganisation } from '../../admin/connect.ts';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import { isRunOpen } from '../../client/found-run.ts';
import { createImports, type Ending, type Imports } from '../../client/imports.ts';
import { type Organisation, type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/server.ts';
import { databaseMark } from '../../storage/diagnosis.ts';
import { openPool } from '../../storage/pool.ts';
import { createWorker, workerIdentity } from '../../worker/create-worker.ts';
import { createXeroApi } from '../../xero/api.ts';
import { createKeyRing } from '../../xero/sealing.ts';
import { createTokens } from '../../xero/tokens.ts';
import { createDataFolder, testBundle } from './data-folder.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { connectTemporal, type TestTemporal, uniqueName } from './temporal.ts';

/** A sandbox, a database, the run's Temporal server, one connected organisation and, if wanted, a worker in this process. */
export interface Stand {
  sandbox: Sandbox;
  organisation: Organisation;
  database: TestDatabase;
  temporal: TestTemporal;
  imports: Imports;
  taskQueue: string;
  /** The connection's name, unique to this stand as workflow ids are made of it. */
  connection: string;
  /** The environment of a `daybook` process that works on this stand. */
  environment: Record<string, string>;
  /** Starts an import with these filters and waits for its end. */
  importJournals(filters?: Record<string, unknown>): Promise<Ending & { workflowId: string }>;
  importInvoices(filters?: Record<string, unknown>): Promise<Ending & { workflowId: string }>;
  close(): Promise<void>;
}

export const application = 'planning';
// Failed workflows are what some tests are about; only the worker's own troubles are worth a line.
Runtime.install({ logger: new DefaultLogger('ERROR') });

export const tokenKeys = `k1:${Buffer.alloc(32, 7).toString('base64')}`;

export async function startStand({
  sandbox: sandboxOptions = {},
  worker: withWorker = true,
  xeroTimeoutMs = 5_000,
  sliceMs = 3_000,
  readingAtATime,
}: {
  sandbox?: SandboxOptions;
  worker?: boolean;
  xeroTimeoutMs?: number;
  /** 0: one page an activity. */
  sliceMs?: number;
  readingAtATime?: number;
} = {}): Promise<Stand> {
  const [sandbox, database, temporal] = await Promise.all([
    startSandbox(sandboxOptions),
    createTestDatabase(),
    connectTemporal(),
  ]);
  const [organisation] = sandbox.organisations;
  if (!organisation) throw new Error('The sandbox has no organisation.');
  const xero = sandboxSettings(sandbox);
  const connection = uniqueName('acme');
  const taskQueue = uniqueName('imports');
  const { tenantId } = organisation;
  await connectOrganisation(
    { pool: database.pool, xero, tokenKeys, actor: 'test', now: () => Date.now() },
    { name: connection, applications: [application], tenantId },
    async (address) => sandbox.consent(address, { tenantIds: [tenantId] }),
  );
  const imports = createImports(temporal.client, taskQueue);
  const stopWorker = withWorker ? await startWorker() : null;
  const dataDir = await createDataFolder('stand');

  async function startWorker() {
    const poolSize = 10;
    const pool = openPool(database.url, poolSize, () => {}, { pipelined: true });
    const now = () => Date.now();
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    const api = createXeroApi({ apiUrl: sandbox.apiUrl, timeoutMs: xeroTimeoutMs, now });
    const afterwards = createAfterwards(console.error);
    const activities = createActivities({
      pool,
      xero: api,
      tokens: createTokens({ pool, xero, keys: createKeyRing(tokenKeys), now, log: silent }),
      permits: createPermits({ pool, clientId: xero.clientId, now }),
      meters: createMeters(Runtime.instance().metricMeter),
      afterwards,
      sliceMs,
      stopping: () => running.getState() !== 'RUNNING',
      now,
      isRunning: (run) => isRunOpen(temporal.client, run),
    });
    const running: TemporalWorker = await createWorker({
      connection: temporal.nativeConnection,
      namespace: temporal.namespace,
      taskQueue,
      activities,
      workflows: await testBundle(),
      poolSize,
      ...(readingAtATime ? { readingAtATime } : {}),
      identity: workerIdentity(await databaseMark(pool)),
    });
    const ran = running.run();
    return async () => {
      running.shutdown();
      await ran;
      await afterwards.done();
      api.close();
      await pool.end();
    };
  }

  return {
    sandbox,
    organisation,
    database,
    temporal,
    imports,
    taskQueue,
    connection,
    environment: {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_TASK_QUEUE: taskQueue,
      XERO_CLIENT_ID: xero.clientId,
      XERO_CLIENT_SECRET: xero.clientSecret,
      XERO_API_URL: xero.apiUrl,
      XERO_IDENTITY_URL: xero.identityUrl,
      XERO_LOGIN_URL: xero.loginUrl,
      DAYBOOK_TOKEN_KEYS: tokenKeys,
      DAYBOOK_DATA_DIR: dataDir,
      DAYBOOK_LOG_LEVEL: 'warn',
    },
    async importJournals(filters = {}) {
      const { workflowId } = await imports.startJournals({ connection, application, ...filters });
      return { workflowId, ...(await imports.ending(workflowId)) };
    },
    async importInvoices(filters = {}) {
      const { workflowId } = await imports.startInvoices({ connection, application, ...filters });
      return { workflowId, ...(await imports.ending(workflowId)) };
    },
    async close() {
      await stopWorker?.();
      await sandbox.close();
      await temporal.close();
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
