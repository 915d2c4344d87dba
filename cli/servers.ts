import type { Client } from '@temporalio/client';
import type pg from 'pg';
import type { Imports } from '../client/imports.ts';
import type { Reconciliations } from '../client/reconciliations.ts';
import type { Schedules } from '../client/schedules.ts';
import { loadConfig } from '../config/config.ts';
import { unreachableTemporal } from '../config/unreachable.ts';
import { requireCurrent } from '../storage/migrate.ts';
import { openPool } from '../storage/pool.ts';
import { reach } from './environment.ts';

/** Gives a command the database, once it is known to answer and to have this program's tables. */
export async function withDatabase<T>(work: (pool: pg.Pool) => Promise<T>): Promise<T> {
  const found = reach(loadConfig(process.env));
  const databaseUrl = found.databaseUrl();
  await requireCurrent(databaseUrl, found.remedies.postgres);
  const pool = openPool(databaseUrl, 2, () => {});
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/** Gives a command what drives imports, over a connection to Temporal of its own. */
export function withImports<T>(work: (imports: Imports) => Promise<T>, connectTimeout?: string): Promise<T> {
  return withTemporal(async (client, taskQueue) => {
    const { createImports } = await import('../client/imports.ts');
    return work(createImports(client, taskQueue));
  }, connectTimeout);
}

/** Gives a command the Schedules of imports. */
export function withSchedules<T>(work: (schedules: Schedules) => Promise<T>, connectTimeout?: string): Promise<T> {
  return withTemporal(async (client, taskQueue) => {
    const { createSchedules } = await import('../client/schedules.ts');
    return work(createSchedules(client, taskQueue));
  }, connectTimeout);
}

/** Gives a command what compares ledgers with Xero. */
export function withReconciliations<T>(work: (reconciliations: Reconciliations) => Promise<T>): Promise<T> {
  return withTemporal(async (client, taskQueue) => {
    const { createReconciliations } = await import('../client/reconciliations.ts');
    return work(createReconciliations(client, taskQueue));
  });
}

async function withTemporal<T>(
  work: (client: Client, taskQueue: string) => Promise<T>,
  connectTimeout = '10s',
): Promise<T> {
  const config = loadConfig(process.env);
  const found = reach(config);
  const { connectionOptions, namespace } = found.temporal();
  // Loaded here, as is what builds on it: its size is felt by commands that need Postgres only.
  const { Client } = await import('@temporalio/client');
  const { openConnection, silenceOf } = await import('../client/open-connection.ts');
  const options = { connectTimeout, ...connectionOptions };
  const unreachable = (error: unknown) =>
    unreachableTemporal(connectionOptions.address, error, found.remedies.temporal);
  const connection = await openConnection(options).catch((error: unknown) => {
    throw unreachable(error);
  });
  try {
    return await work(new Client({ connection, namespace: namespace ?? 'default' }), config.taskQueue);
  } catch (error) {
    const silence = silenceOf(error);
    throw silence === null ? error : unreachable(silence);
  } finally {
    await connection.close();
  }
}
