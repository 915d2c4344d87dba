import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { OpenSession } from './remove-connection.ts';

/** A migration cannot be done now: a session keeps a transaction open that has read what is to be changed. */
export class MigrationHeld extends Error {
  override name = 'MigrationHeld';
}

export interface Patience {
  /** Gets a line when something is waited for. */
  say?: ((line: string) => void) | undefined;
  /** How often it is tried again while others hold what is to be changed: some six seconds each. */
  tries?: number | undefined;
}

interface Blocker extends OpenSession {
  /** When its transaction began; null where Postgres does not tell us. */
  since: Date | null;
}

/** Whoever reads a table waits behind us as long as we do, so we wait for a few seconds only, and leave as many to them. */
const lockTimeoutMs = 3_000;
const lockNotAvailable = '55P03';
const deadlock = '40P01';
const lookEveryMs = 500;

/**
 * Runs `work` while no other process migrates this database, on a connection that waits for no lock for long. Where others hold
 * what is to be changed it is tried again, so what it has committed must stay done.
 * @throws MigrationHeld, which names them, once it was tried often enough.
 */
export async function alone<T>(
  databaseUrl: string,
  work: (client: pg.Client) => Promise<T>,
  { say = () => {}, tries = 10 }: Patience,
): Promise<T> {
  return withClient(databaseUrl, async (guard) => {
    await lockMigrations(guard, say);
    return withClient(databaseUrl, async (client) => {
      await client.query(`set lock_timeout to ${lockTimeoutMs}`);
      for (let left = tries; ; left -= 1) {
        const watched = await watching(guard, client, () => work(client));
        if ('done' in watched) return watched.done;
        const held = `What is to be changed in the database is held ${inWords(watched.blockers)}.`;
        if (left <= 1) {
          throw new MigrationHeld(
            `${held} The database is not at this version yet: have that transaction ended, then run \`daybook migrate\` again.`,
          );
        }
        if (left === tries) say(`${held} It is tried again.`);
        await sleep(lockTimeoutMs);
      }
    });
  });
}

async function withClient<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 });
  // A session that is lost has nobody else to tell: unheard, the error would end the process. The next statement says so.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Several processes may start at once: the second waits for the first, then finds nothing to do. By a lock on the table of
 * migrations, to which no application has a right: an advisory lock anybody may take, and keep. It is let go with the session.
 */
async function lockMigrations(guard: pg.Client, say: (line: string) => void): Promise<void> {
  await makeTable(guard);
  await guard.query('set idle_in_transaction_session_timeout to 0');
  for (let isTold = false; ; isTold = true) {
    try {
      await guard.query('begin');
      await guard.query(`set local lock_timeout to ${lockTimeoutMs}`);
      // It stands in the way of nobody who reads the table or writes to it.
      await guard.query('lock table daybook.migration in share update exclusive mode');
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== lockNotAvailable) throw error;
      await guard.query('rollback');
      if (!isTold) say('Another process is migrating this database; waiting for it to be done.');
    }
  }
}

/** As node-pg-migrate makes it. Who makes it in the same moment is as welcome. */
async function makeTable(guard: pg.Client): Promise<void> {
  const { rows } = await guard.query(`select to_regclass('daybook.migration') is not null as present`);
  if (rows[0]?.present) return;
  const made = 'create table if not exists daybook.migration';
  const make = () =>
    guard.query(`create schema if not exists daybook;
                 ${made} (id serial primary key, name varchar(255) not null, run_on timestamp not null)`);
  await make().catch(make);
}

/** Runs `work`; where it was kept from a lock, who had it. */
async function watching<T>(
  guard: pg.Client,
  client: pg.Client,
  work: () => Promise<T>,
): Promise<{ done: T } | { blockers: Blocker[] }> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid ?? 0;
  let blockers: Blocker[] = [];
  let isOver = false;
  const look = (async () => {
    while (!isOver) {
      const found = await blockersOf(guard, pid).catch(() => []);
      if (found.length > 0) blockers = found;
      await sleep(lookEveryMs);
    }
  })();
  try {
    return { done: await work() };
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== lockNotAvailable && code !== deadlock) throw error;
    // The migration that failed left its transaction open.
    await client.query('rollback');
    return { blockers };
  } finally {
    isOver = true;
    await look;
  }
}

async function blockersOf(guard: pg.Client, pid: number): Promise<Blocker[]> {
  // Within a transaction Postgres shows the sessions as they were at its first look.
  await guard.query('select pg_stat_clear_snapshot()');
  const { rows } = await guard.query<Blocker>(
    `select pid as process, usename::text as user, application_name as program, xact_start as since
       from pg_stat_activity where pid = any (pg_blocking_pids($1)) order by xact_start`,
    [pid],
  );
  return rows;
}

function inWords(blockers: Blocker[]): string {
  if (blockers.length === 0) return 'by another transaction, which is gone by now';
  const each = blockers.map(({ process, user, program, since }) => {
    const began = since && `since ${since.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
    return `process ${process} (${[user, program, began].filter(Boolean).join(', ')})`;
  });
  return `by a session of Postgres that keeps a transaction open: ${each.join(', ')}`;
}
