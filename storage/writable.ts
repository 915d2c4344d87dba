import { UnfitDatabase } from './migrate.ts';
import { openPool, type Queryable } from './pool.ts';

/** It answers, but takes no writes: a standby, or one whose transactions are read-only. That may pass, as when a standby is promoted. */
export class ReadOnlyDatabase extends UnfitDatabase {
  override name = 'ReadOnlyDatabase';
}

const remedy = {
  standby: 'it is a standby. Name the primary in DATABASE_URL, or promote it.',
  readOnly:
    'default_transaction_read_only is on, for it, its database or the role in DATABASE_URL. Turn it off, or name another.',
};

/** Why a database takes no writes, and what to do; null when it takes them. */
export async function takesNoWrites(db: Queryable): Promise<string | null> {
  const { rows } = await db.query<{ readOnly: boolean; standby: boolean }>(
    `select current_setting('transaction_read_only')::boolean as "readOnly", pg_is_in_recovery() as standby`,
  );
  const { readOnly, standby } = rows[0] ?? { readOnly: false, standby: false };
  if (!readOnly) return null;
  return `Postgres takes no writes: ${standby ? remedy.standby : remedy.readOnly}`;
}

/** @throws ReadOnlyDatabase with a sentence unless the database takes writes. */
export async function requireWritable(databaseUrl: string): Promise<void> {
  const pool = openPool(databaseUrl, 1, () => {});
  try {
    const problem = await takesNoWrites(pool);
    if (problem !== null) throw new ReadOnlyDatabase(problem);
  } finally {
    await pool.end();
  }
}
