import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { alone, MigrationHeld, type Patience } from './migration-lock.ts';
import type { Queryable } from './pool.ts';

const directory = fileURLToPath(new URL('../migrations', import.meta.url));
const schema = 'daybook';
const table = 'migration';

/** The database is not one this program can use; the message is a sentence with the remedy. */
export class UnfitDatabase extends Error {
  override name = 'UnfitDatabase';
}

/** Of more migrations that lack, the first and the last are named. */
const mostNamed = 3;
const configured = 'Check that it runs and that DATABASE_URL is right.';

/**
 * Brings the database up to this program, forward only. Returns the names of the migrations that ran, none if it was current.
 * `remedy` is what to do where no Postgres answers.
 * @throws UnfitDatabase also when sessions keep what is to be changed; what ran before stays done.
 */
export async function migrate(
  databaseUrl: string,
  { remedy = configured, ...patience }: Patience & { remedy?: string | undefined } = {},
): Promise<string[]> {
  await refuseNewer(databaseUrl, remedy);
  let before: string[] | undefined;
  try {
    return await alone(
      databaseUrl,
      async (client) => {
        const present = await namesIn(client);
        before ??= present;
        await runner({
          dbClient: client,
          // `alone` has one that applications cannot take.
          noLock: true,
          dir: directory,
          direction: 'up',
          migrationsSchema: schema,
          migrationsTable: table,
          logger: { debug() {}, info() {}, warn() {}, error() {} },
        });
        // Whatever a migration added to the books gets its policy, and only then are applications let in.
        await client.query('select daybook.secure_books()');
        return (await namesIn(client)).filter((name) => !before?.includes(name));
      },
      patience,
    );
  } catch (error) {
    if (error instanceof MigrationHeld) throw new UnfitDatabase(error.message);
    throw error;
  }
}

/** Throws a sentence with the remedy unless the database has exactly the migrations of this program. */
export async function requireCurrent(databaseUrl: string, remedy = configured): Promise<void> {
  await refuseNewer(databaseUrl, remedy);
  const [own, applied] = await Promise.all([ownMigrations(), appliedMigrations(databaseUrl, remedy)]);
  const missing = own.filter((name) => !applied.includes(name));
  if (missing.length > 0) {
    const [first] = missing;
    const named = missing.length > mostNamed ? `${first} to ${missing.at(-1)}` : missing.join(', ');
    throw new UnfitDatabase(
      `The database lacks ${missing.length} of ${own.length} migrations (${named}). Run \`daybook migrate\` first.`,
    );
  }
}

async function refuseNewer(databaseUrl: string, remedy: string): Promise<void> {
  const [own, applied] = await Promise.all([ownMigrations(), appliedMigrations(databaseUrl, remedy)]);
  const unknown = applied.filter((name) => !own.includes(name));
  if (unknown.length > 0) {
    throw new UnfitDatabase(
      `The database is newer than this program: it has the migrations ${unknown.join(', ')}. Upgrade Daybook before you use it.`,
    );
  }
}

async function ownMigrations(): Promise<string[]> {
  const files = await readdir(directory);
  return files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort();
}

async function appliedMigrations(databaseUrl: string, remedy: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 });
  // A session that is lost has nobody else to tell: unheard, the error would end the process. The next statement says so.
  client.on('error', () => {});
  await client.connect().catch((error: Error) => {
    throw unreachable(databaseUrl, error, remedy);
  });
  try {
    const { rows } = await client.query<{ version: number; present: boolean }>(
      `select current_setting('server_version_num')::int as version, to_regclass($1) is not null as present`,
      [`${schema}.${table}`],
    );
    const { version, present } = rows[0] ?? { version: 0, present: false };
    if (version < 150_000) throw new UnfitDatabase(`Daybook needs Postgres 15 or newer; this server is ${version}.`);
    if (!present) return [];
    return await namesIn(client);
  } finally {
    await client.end();
  }
}

async function namesIn(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(`select name from ${schema}.${table} order by id`);
  return rows.map(({ name }) => name);
}

/** Host and database only: the address holds a password. */
function unreachable(databaseUrl: string, error: Error, remedy: string): UnfitDatabase {
  const { host, pathname } = new URL(databaseUrl);
  // One failure for each address of a name comes as an AggregateError, which has no message of its own.
  const reasons = error instanceof AggregateError ? error.errors.map((each: Error) => each.message) : [error.message];
  return new UnfitDatabase(`Postgres at ${host}${pathname} cannot be used: ${reasons.join(', ')}. ${remedy}`, {
    cause: error,
  });
}
