import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { inject } from 'vitest';
import { migrate } from '../../storage/migrate.ts';
import { openPool } from '../../storage/pool.ts';
import { asAdmin, prefixOf } from './database-admin.ts';
import { provided } from './provided.ts';

export interface TestDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  /** Closes the pool and drops the database, whoever else is still connected. */
  drop(): Promise<void>;
}

/** Any number that nothing else locks; keeps test processes from migrating the template at the same time. */
const TEMPLATE_LOCK = 7_233_543;

/**
 * A database of a test file's own, with all migrations applied: a copy of a template that the first caller of the run
 * migrates. `migrated: false` gives an empty one.
 */
export async function createTestDatabase(options: { migrated?: boolean } = {}): Promise<TestDatabase> {
  const adminUrl = provided('postgres');
  const prefix = prefixOf(inject('runId'));
  const name = `${prefix}${randomBytes(5).toString('hex')}`;
  const template = options.migrated === false ? 'template0' : `${prefix}template`;
  await asAdmin(adminUrl, async (admin) => {
    await admin.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    if (options.migrated !== false) await ensureTemplate(admin, adminUrl, template);
    // Copied under the lock too: a database somebody else is connected to cannot be copied.
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  const url = withDatabase(adminUrl, name);
  // Tests cut connections on purpose; an idle one that dies must not end the test process.
  const pool = openPool(url, 10, () => {});
  return {
    url,
    pool,
    drop: async () => {
      await pool.end();
      await asAdmin(adminUrl, (admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

async function ensureTemplate(admin: pg.Client, adminUrl: string, template: string): Promise<void> {
  const found = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [template]);
  if (found.rowCount !== 0) return;
  // Migrated under another name first, so that a migration that fails leaves no half template behind for the next file.
  const building = `${template}_building`;
  await admin.query(`DROP DATABASE IF EXISTS ${building} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${building} TEMPLATE template0`);
  await migrate(withDatabase(adminUrl, building));
  await admin.query(`ALTER DATABASE ${building} RENAME TO ${template}`);
}

function withDatabase(url: string, database: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${database}`;
  return parsed.href;
}
