import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../embedded/postgres.ts';
import { startTemporal } from '../../embedded/temporal.ts';
import { findTemporal } from '../../embedded/temporal-executable.ts';
import { dropTestDatabases } from './database-admin.ts';

/** An address, or why there is none: tests that need no server run all the same. */
export type Provided = { readonly address: string } | { readonly missing: string };

declare module 'vitest' {
  export interface ProvidedContext {
    /** Marks what this run creates on servers that outlive it. */
    runId: string;
    postgres: Provided;
    /** The file the Postgres server writes its log to. */
    postgresLog: Provided;
    temporal: Provided;
    /** The `temporal` command, for tests that start a server of their own. */
    temporalExecutable: Provided;
  }
}

/** Where the executable is kept between runs, so that it is downloaded or built once a checkout. */
const binDir = resolve(import.meta.dirname, '../../.daybook/bin');

const onLine = (line: string) => console.log(`[stand] ${line}`);

/** Starts one Postgres and one Temporal server for the whole run, unless TEST_DATABASE_URL or TEST_TEMPORAL_ADDRESS name others. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'daybook-test-'));
  // Postgres may run under another account (when we are root), which must be able to pass.
  chmodSync(dataDir, 0o711);
  const runId = randomBytes(4).toString('hex');
  const stops: (() => Promise<void>)[] = [];

  const postgres = orMissing(async () => {
    const given = process.env.TEST_DATABASE_URL;
    if (given !== undefined) {
      stops.push(() => dropTestDatabases(given, runId));
      return given;
    }
    const server = await startPostgres({ dataDir, onLine, fsync: false });
    stops.push(server.stop);
    return server.url;
  });
  const temporalExecutable = orMissing(() => findTemporal({ binDir, env: process.env, onLine }));
  const temporal = orMissing(async () => {
    const given = process.env.TEST_TEMPORAL_ADDRESS;
    if (given !== undefined) return given;
    const found = await temporalExecutable;
    if ('missing' in found) throw new Error(found.missing);
    const server = await startTemporal({ executable: found.address, dataDir, onLine, fsync: false });
    stops.push(server.stop);
    return server.address;
  });

  project.provide('runId', runId);
  project.provide('postgres', await postgres);
  project.provide(
    'postgresLog',
    process.env.TEST_DATABASE_URL === undefined
      ? { address: join(dataDir, 'postgres.log') }
      : { missing: 'TEST_DATABASE_URL names a server whose log is not at hand.' },
  );
  project.provide('temporalExecutable', await temporalExecutable);
  project.provide('temporal', await temporal);
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
    rmSync(dataDir, { recursive: true, force: true });
  };
}

async function orMissing(start: () => Promise<string>): Promise<Provided> {
  try {
    return { address: await start() };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}
