import { Client } from '@temporalio/client';
import type pg from 'pg';
import { openConnection } from '../../client/open-connection.ts';
import { type RunningWorkflow, runningOn } from '../../client/running.ts';
import type { Config } from '../../config/config.ts';
import { unreachableTemporal } from '../../config/unreachable.ts';
import type { XeroApp } from '../../model/xero-app.ts';
import { requireCurrent } from '../../storage/migrate.ts';
import { openPool } from '../../storage/pool.ts';
import { type Reach, reach } from '../environment.ts';
import { NotThere } from './findings.ts';

/** Postgres and Temporal as the checks share them: each is opened once, when the first check asks for it. */
export interface DoctorPlace {
  config: Config;
  reach: Reach;
  /** Fails with the sentence of what is wrong; for the checks of Postgres and Temporal themselves. */
  openDatabase(): Promise<pg.Pool>;
  openTemporal(): Promise<Client>;
  /** The same for all other checks: that it is not there is said once only. */
  database(): Promise<pg.Pool>;
  temporal(): Promise<Client>;
  /** What runs in Temporal on the task queue. */
  running(): Promise<RunningWorkflow[]>;
  xero(): XeroApp;
  close(): Promise<void>;
}

/** Who is asked how things are waits less than who has work to do. */
const connectTimeout = '4s';
/** What the checks need at one time at the most. */
const poolSize = 4;

export function createPlace(config: Config): DoctorPlace {
  const found = reach(config);
  const closing: (() => Promise<unknown>)[] = [];
  const openDatabase = once(async () => {
    const databaseUrl = found.databaseUrl();
    await requireCurrent(databaseUrl, found.remedies.postgres);
    const pool = openPool(databaseUrl, poolSize, () => {});
    closing.push(() => pool.end());
    return pool;
  });
  const openTemporal = once(async () => {
    const { connectionOptions, namespace } = found.temporal();
    const connection = await openConnection({ connectTimeout, ...connectionOptions }).catch((error: unknown) => {
      throw unreachableTemporal(connectionOptions.address, error, found.remedies.temporal);
    });
    closing.push(() => connection.close());
    return new Client({ connection, namespace: namespace ?? 'default' });
  });
  const not = (what: string) => (): never => {
    throw new NotThere(`Not looked at, as ${what} cannot be used.`);
  };
  const temporal = () => openTemporal().catch(not('Temporal'));
  return {
    config,
    reach: found,
    openDatabase,
    openTemporal,
    database: () => openDatabase().catch(not('Postgres')),
    temporal,
    running: once(async () => runningOn(await temporal(), config.taskQueue)),
    xero: () => {
      try {
        return found.xero();
      } catch {
        return not('Xero')();
      }
    },
    close: async () => {
      await Promise.all(closing.map((close) => close().catch(() => {})));
    },
  };
}

function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open();
    return opened;
  };
}
