import type pg from 'pg';
import { type Session, takeSession } from './pool.ts';

/** A connection in use, and what is sent over it. */
interface Line {
  session: Promise<Session>;
  underWay: number;
  unfit: Error | undefined;
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
    this.#line ??= { session: takeSession(this.#pool), underWay: 0, unfit: undefined };
    const line = this.#line;
    line.underWay++;
    try {
      return await (await line.session).client.query(statement);
    } catch (error) {
      // As the pool does by itself: who knows what state it is in.
      line.unfit = error as Error;
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

async function giveBack({ session, unfit }: Line): Promise<void> {
  // Where there was no connection to be had, there is none to give back.
  (await session.catch(() => null))?.giveBack(unfit);
}
