import pg from 'pg';

/** A pool or one of its clients: whatever can run a statement. */
export type Queryable = Pick<pg.Pool, 'query'>;

// bigint (int8) comes as a string by default. Journal numbers and counts are far below 2^53, so they are numbers here;
// amounts are numeric and stay strings.
const int8Array = 1016;
const float8Array = 1022;
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8
      ? Number
      : pg.types.getTypeParser(oid === int8Array ? float8Array : oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};

export interface PoolOptions {
  /**
   * False where a commit need not wait for the disk: a crash of Postgres (not of this process) may forget the last
   * half second of them, whole commits at a time.
   * https://www.postgresql.org/docs/current/wal-async-commit.html
   */
  durable?: boolean;
  /** True where statements may be sent over a connection before those in front are answered, see `Pipeline`. */
  pipelined?: boolean;
}

/**
 * Opens a pool of connections. `max` bounds how many this process holds at once; a connection lost while idle is reported
 * to `onIdleError` and replaced when it is next needed.
 */
export function openPool(
  databaseUrl: string,
  max: number,
  onIdleError: (error: Error) => void,
  { durable = true, pipelined = false }: PoolOptions = {},
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max,
    types,
    pipeline: pipelined,
    application_name: 'daybook',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // Bounds what a half-open connection can cost; the largest page (100 journals of 1,000 lines) needs far less.
    query_timeout: 90_000,
    statement_timeout: 80_000,
    idle_in_transaction_session_timeout: 60_000,
    // A database or role may write instants its own way (`alter database … set datestyle`); pg reads ISO only.
    onConnect: async (client) => {
      await client.query("set datestyle to 'ISO'");
      if (!durable) await client.query('set synchronous_commit to off');
    },
  });
  pool.on('error', onIdleError);
  return pool;
}

/** A connection that is out of its pool for more than a statement. */
export interface Session {
  client: pg.PoolClient;
  /**
   * Gives it back, to be used again, or to be closed where it was lost or is `unfit`. Whoever finds it lost may do so, as the second
   * time does nothing: the pool throws at one that is given back twice, and where that is an event of the socket, it ends the process.
   */
  giveBack(unfit?: Error): void;
}

/**
 * Takes a connection out of the pool. One that is lost between two statements has nobody else to tell (`onLost`): unheard, the error
 * would end the process.
 */
export async function takeSession(pool: pg.Pool, onLost: (session: Session) => void = () => {}): Promise<Session> {
  const client = await pool.connect();
  let isOut = true;
  let broken: Error | undefined;
  const session: Session = {
    client,
    giveBack(unfit) {
      if (!isOut) return;
      isOut = false;
      // Ours only: the pool has its own, and hears by it what befalls a connection that it has back.
      client.removeListener('error', lost);
      client.release(unfit ?? broken);
    },
  };
  const lost = (error: Error) => {
    broken = error;
    onLost(session);
  };
  client.on('error', lost);
  return session;
}

/** Runs `work` in one transaction: all of it is stored, or nothing. */
export async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const { client, giveBack } = await takeSession(pool);
  let unfit: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((stuck: Error) => {
      unfit = stuck;
    });
    throw error;
  } finally {
    giveBack(unfit);
  }
}

/** Whether an error says that Postgres is not there or this connection to it broke: the same statement may work later. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  // Class 08: connection exception; 57P0x: shutting down, crashed, starting up; 53300: too many connections.
  // A name that is not known (ENOTFOUND) is one that a container's network forgets while its server is down.
  if (/^(08|57P0[1-3]|53300|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/.test(code))
    return true;
  // pg gives no code where the server hung up, or no connection was to be had in time.
  return (
    code === '' &&
    /Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout/.test(
      error.message,
    )
  );
}

/** Whether an error says that Postgres takes no writes now: read_only_sql_transaction, as of a standby. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '25006';
}
