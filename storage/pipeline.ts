import type pg from 'pg';

/** A connection in use, and what is sent over it. */
interface Line {
  client: Promise<pg.PoolClient>;
  underWay: number;
  broken: Error | undefined;
  lost: (error: Error) => void;
}

/**
 * Statements that are sent over one connection without waiting for the answers to those in front, so that Postgres goes from one to
 * the next without a pause, if the pool is pipelined. They are carried out in order, each as a transaction of its own: one
 * that fails changes nothing for those behind. The connection is the pool's again as soon as all is answered.
 * https://node-postgres.com/features/pipelining
 */
export class Pipeline {
  readonly #pool: pg.Pool;
  #line: Line | null = null;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async query(statement: pg.QueryConfig): Promise<pg.QueryResult> {
    this.#line ??= openLine(this.#pool);
    const line = this.#line;
    line.underWay++;
    try {
      return await (await line.client).query(statement);
    } catch (error) {
      // As the pool does by itself: who knows what state it is in.
      line.broken = error as Error;
      this.#leave(line);
      throw error;
    } finally {
      line.underWay--;
      if (line.underWay === 0) {
        this.#leave(line);
        await giveBack(line);
      }
    }
  }

  /** What comes next is sent over another line. */
  #leave(line: Line): void {
    if (this.#line === line) this.#line = null;
  }
}

function openLine(pool: pg.Pool): Line {
  const line: Line = {
    client: pool.connect(),
    underWay: 0,
    broken: undefined,
    // A connection that is lost says so to its statements; unheard, it would end the process.
    lost: (error) => {
      line.broken = error;
    },
  };
  line.client.then((client) => client.on('error', line.lost)).catch(() => {});
  return line;
}

async function giveBack({ client, lost, broken }: Line): Promise<void> {
  // Where there was no connection to be had, there is none to give back.
  const connection = await client.catch(() => null);
  connection?.removeListener('error', lost);
  connection?.release(broken);
}
