import { Client } from '@temporalio/client';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, type Worker } from '@temporalio/worker';
import { createAfterwards } from '../activities/afterwards.ts';
import { createActivities, type Dependencies } from '../activities/index.ts';
import { createMeters } from '../activities/meters.ts';
import { createPermits } from '../activities/permits.ts';
import { isRunOpen } from '../client/found-run.ts';
import type { Logger } from '../config/logging.ts';
import { unreachableTemporal } from '../config/unreachable.ts';
import type { XeroApp } from '../model/xero-app.ts';
import { databaseMark } from '../storage/diagnosis.ts';
import { openPool } from '../storage/pool.ts';
import { createXeroApi } from '../xero/api.ts';
import { createKeyRing } from '../xero/sealing.ts';
import { createTokens, type Tokens } from '../xero/tokens.ts';
import { workflowBundle } from './bundle.ts';
import { createWorker, workerIdentity } from './create-worker.ts';
import { installRuntime, outlastRepeatedSignals } from './runtime.ts';
import { scheduleKeepAlive } from './schedule-keep-alive.ts';
import { untilPostgresTakesWrites, untilTemporalAnswers } from './wait-for-servers.ts';

export interface WorkerPlace {
  databaseUrl: string;
  temporal: ClientConnectConfig;
  taskQueue: string;
  xero: XeroApp;
  tokenKeys: string;
  /** Folder for the prebuilt workflow bundle. */
  cacheDir: string;
  /** Where Prometheus finds the metrics, as IP:port; null: nowhere. */
  metricsAddress: string | null;
  log: Logger;
  /** Called once it takes work. */
  onReady?: () => void;
}

/**
 * Connections to Postgres: an activity holds one for a statement or two, never while it waits for a page of Xero's. Refreshes of
 * tokens hold one while Xero is asked, however many there are: the session of their locks.
 */
const poolSize = 20;
/** The quota ledger's statements take a millisecond, one or two for each call to Xero. */
const ledgerPoolSize = 5;
/** Xero's pages take one to four seconds; one that takes this long is not coming. */
const xeroTimeoutMs = 45_000;

const sliceMs = 3_000;

/** Runs a worker, once its servers answer, until it is told to stop (SIGINT, SIGTERM): the pages in flight are finished first, unless it is told again. */
export async function runWorker(place: WorkerPlace): Promise<void> {
  const { taskQueue, temporal, log } = place;
  const { metricMeter } = installRuntime(log, place.metricsAddress);
  outlastRepeatedSignals();
  await untilServersAnswer(place);
  const workflows = await workflowBundle(place.cacheDir);
  const connection = await connectToTemporal(temporal);
  const namespace = temporal.namespace ?? 'default';
  const client = new Client({ connection, namespace });
  let worker: Worker | undefined;
  const { pool, activities, close } = equip(place, {
    meters: createMeters(metricMeter),
    stopping: () => worker !== undefined && worker.getState() !== 'RUNNING',
    isRunning: (run) => isRunOpen(client, run),
  });
  try {
    const mark = await databaseMark(pool);
    worker = await createWorker({
      ...{ connection, namespace, taskQueue, activities, workflows, poolSize },
      identity: workerIdentity(mark),
    });
    const working = worker.run();
    log.info({ taskQueue, namespace, pid: process.pid }, 'the worker is ready');
    place.onReady?.();
    void keepAliveDaily(client, taskQueue, mark, log);
    await working;
  } finally {
    await close();
    await connection.close();
  }
}

async function untilServersAnswer({ databaseUrl, temporal, log }: WorkerPlace): Promise<void> {
  const waiting = { who: 'The worker', say: (sentence: string) => log.warn(sentence) };
  await untilPostgresTakesWrites(databaseUrl, waiting);
  await untilTemporalAnswers(temporal, waiting);
}

function connectToTemporal({ connectionOptions }: ClientConnectConfig): Promise<NativeConnection> {
  return NativeConnection.connect(connectionOptions).catch((error: unknown) => {
    throw unreachableTemporal(connectionOptions.address, error);
  });
}

/** The activities with all that they work with, but for what Temporal gives; `close` waits for what is under way. */
function equip(
  { databaseUrl, xero, tokenKeys, log }: WorkerPlace,
  given: Pick<Dependencies, 'meters' | 'stopping' | 'isRunning'>,
) {
  const lost = (error: Error) => log.warn({ reason: error.message }, 'lost an idle connection to Postgres');
  const pool = openPool(databaseUrl, poolSize, lost, { pipelined: true });
  // Xero's next answer says how many calls are left, so the ledger may forget some in a crash of Postgres.
  const ledgerPool = openPool(databaseUrl, ledgerPoolSize, lost, { durable: false });
  const now = () => Date.now();
  const api = createXeroApi({ apiUrl: xero.apiUrl, timeoutMs: xeroTimeoutMs, now });
  const tokens = createTokens({ pool, xero, keys: createKeyRing(tokenKeys), now, log });
  const permits = createPermits({ pool: ledgerPool, clientId: xero.clientId, now });
  const afterwards = createAfterwards((sentence) => log.warn(sentence));
  const connectPage = new URL(xero.redirectUri).origin;
  const activities = createActivities({
    ...{ pool, xero: api, tokens, permits, afterwards, sliceMs, connectPage, now },
    ...given,
  });
  const sweeping = sweepEachMinute(tokens, log);
  const close = async () => {
    clearInterval(sweeping);
    await Promise.all([tokens.close(), afterwards.done()]);
    api.close();
    await Promise.all([pool.end(), ledgerPool.end()]);
  };
  return { pool, activities, close };
}

/**
 * Makes sure of the Schedule that keeps idle authorisations alive, and never rejects. Beside the work, as a slow Temporal takes up to a
 * minute and a half for it: no import waits for that, nor does a worker that is told to stop.
 */
async function keepAliveDaily(client: Client, taskQueue: string, mark: string, log: Logger): Promise<void> {
  await scheduleKeepAlive(client, taskQueue, mark).catch((error: Error) =>
    log.warn(
      { reason: error.message },
      'the daily keep-alive of the authorisations could not be scheduled; tried again at the next start',
    ),
  );
}

/**
 * Follows up token refreshes that a crash left without a known outcome, within Xero's grace of 30 minutes. Not a workflow:
 * it must happen also while Temporal is away.
 */
function sweepEachMinute(tokens: Tokens, log: Logger): NodeJS.Timeout {
  const sweep = () => {
    tokens
      .sweep()
      .catch((error: Error) =>
        log.warn({ reason: error.message }, 'looking after the authorisations failed; tried again in a minute'),
      );
  };
  sweep();
  return setInterval(sweep, 60_000);
}
