import { NamespaceNotFoundError } from '@temporalio/client';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { type Config, ConfigurationError } from '../config/config.ts';
import { makeDataFolder } from '../embedded/data-folder.ts';
import { startPostgres } from '../embedded/postgres.ts';
import { startTemporal } from '../embedded/temporal.ts';
import { findTemporal } from '../embedded/temporal-executable.ts';
import type { XeroApp } from '../model/xero-app.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../sandbox/server.ts';
import { recordKeysMade } from '../storage/audit.ts';
import { migrate } from '../storage/migrate.ts';
import type { Patience } from '../storage/migration-lock.ts';
import { isReadOnly, openPool } from '../storage/pool.ts';
import { requireWritable } from '../storage/writable.ts';
import { askTemporal, untilPostgresAnswers } from '../worker/wait-for-servers.ts';
import { createKeyRing } from '../xero/sealing.ts';
import { operator } from './admin-place.ts';
import { reach } from './environment.ts';
import { publishSandbox, sandboxSettings, sandboxStateFile, withdrawSandbox } from './sandbox-file.ts';
import { keepWorkerRunning, type WorkerProcess } from './worker-process.ts';

/** All that Daybook runs on, started where it was not configured. */
export interface Stack {
  databaseUrl: string;
  /** Whether Postgres is ours; then its address holds no secret of the user's. */
  embeddedPostgres: boolean;
  /** The Temporal UI of the embedded server; null when Temporal is yours. */
  uiUrl: string | null;
  temporalAddress: string;
  /** Null when a Xero app is configured. */
  sandbox: Sandbox | null;
  xero: XeroApp;
  tokenKeys: string;
  startWorker(): WorkerProcess;
  stop(): Promise<void>;
}

export interface StackOptions {
  config: Config;
  environment: NodeJS.ProcessEnv;
  /** What the sandbox is like, when it stands in for Xero. */
  sandbox: SandboxOptions;
  /** Where Temporal's executable is kept. */
  binDir: string;
  /** Gets a line for each thing a person should know. */
  say: (line: string) => void;
}

/**
 * Starts whatever is not configured: Postgres, Temporal, the sandbox in place of Xero; brings the database up to date.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { config, environment, say } = options;
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    const { dataDir } = config;
    makeDataFolder(dataDir);
    const tokenKeys = reach(config).tokenKeys();
    const postgres = config.databaseUrl === null ? await startPostgres({ dataDir, onLine: say }) : null;
    if (postgres) stops.push(() => postgres.stop());
    const databaseUrl = config.databaseUrl ?? postgres?.url ?? '';
    // One that was just started here answers. Before one that is yours does, nothing is started that would have to be stopped.
    if (postgres) await migrate(databaseUrl, { say });
    else await untilPostgresAnswers(() => migrateWritable(databaseUrl, { say }), { who: 'Daybook', say });
    if (config.tokenKeys === null) await auditOwnKeys(databaseUrl, tokenKeys);

    if (config.temporalConfigured) await refuseMissingNamespace(reach(config).temporal());
    const temporal = config.temporalConfigured ? null : await startEmbeddedTemporal(options);
    if (temporal) stops.push(() => temporal.stop());

    const sandbox = config.xero ? null : await startLocalXero(dataDir, options.sandbox);
    if (sandbox) {
      stops.push(async () => {
        withdrawSandbox(dataDir);
        await sandbox.close();
      });
    }
    const xero = config.xero ?? sandboxSettings(sandbox as Sandbox, config.redirectUri);
    const forWorker = workerEnvironment(environment, { config, databaseUrl, xero, tokenKeys });
    return {
      databaseUrl,
      embeddedPostgres: postgres !== null,
      uiUrl: temporal?.uiUrl ?? null,
      temporalAddress: temporal?.address ?? environment.TEMPORAL_ADDRESS ?? 'as temporal.toml says',
      sandbox,
      xero,
      tokenKeys,
      startWorker() {
        const worker = keepWorkerRunning(forWorker, say);
        stops.push(() => worker.stop());
        return worker;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The first key is made before there is a database to say so in, so it is said at the start that has one. */
async function auditOwnKeys(databaseUrl: string, tokenKeys: string): Promise<void> {
  const pool = openPool(databaseUrl, 1, () => {});
  try {
    await recordKeysMade(pool, operator(), createKeyRing(tokenKeys).kids);
  } finally {
    await pool.end();
  }
}

/** Its worker would end over it again and again; for a Temporal that is away it waits by itself. */
async function refuseMissingNamespace(temporal: ClientConnectConfig): Promise<void> {
  await askTemporal(temporal).catch((error: unknown) => {
    if (error instanceof NamespaceNotFoundError) throw error;
  });
}

async function startEmbeddedTemporal({ config, environment, binDir, say }: StackOptions) {
  const executable = await findTemporal({ binDir, env: environment, onLine: say }).catch((error: Error) => {
    throw new ConfigurationError(error.message, { cause: error });
  });
  return startTemporal({ executable, dataDir: config.dataDir, onLine: say });
}

async function startLocalXero(dataDir: string, options: SandboxOptions): Promise<Sandbox> {
  const preferred = { ...options, stateFile: sandboxStateFile(dataDir), port: options.port ?? 8090 };
  const sandbox = await startSandbox(preferred).catch(() => startSandbox({ ...preferred, port: 0 }));
  publishSandbox(dataDir, sandbox);
  return sandbox;
}

interface Found {
  config: Config;
  databaseUrl: string;
  xero: XeroApp;
  tokenKeys: string;
}

/**
 * The worker is told everything, so that it is the same process wherever its servers come from; but the embedded Temporal it
 * finds by the data folder, as all commands do: beside an address, a key and TLS for another server would count, which
 * temporal.toml or the environment may hold.
 */
function workerEnvironment(environment: NodeJS.ProcessEnv, found: Found): NodeJS.ProcessEnv {
  const { config, databaseUrl, xero, tokenKeys } = found;
  return {
    ...(config.temporalConfigured ? environment : withoutTemporal(environment)),
    DATABASE_URL: databaseUrl,
    TEMPORAL_TASK_QUEUE: config.taskQueue,
    XERO_CLIENT_ID: xero.clientId,
    XERO_CLIENT_SECRET: xero.clientSecret,
    XERO_REDIRECT_URI: xero.redirectUri,
    XERO_SCOPES: xero.scopes.join(' '),
    XERO_API_URL: xero.apiUrl,
    XERO_IDENTITY_URL: xero.identityUrl,
    XERO_LOGIN_URL: xero.loginUrl,
    XERO_ALLOW_HTTP: `${xero.allowHttp ?? false}`,
    DAYBOOK_DATA_DIR: config.dataDir,
    DAYBOOK_TOKEN_KEYS: tokenKeys,
    DAYBOOK_LOG_LEVEL: config.logLevel,
  };
}

function withoutTemporal(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('TEMPORAL_')));
}

async function migrateWritable(databaseUrl: string, patience: Patience): Promise<void> {
  await migrate(databaseUrl, patience).catch((error: unknown) => {
    if (!isReadOnly(error)) throw error;
  });
  // Also where there was nothing to migrate.
  await requireWritable(databaseUrl);
}
