import type pg from 'pg';
import { type Session, takeSession } from './pool.ts';

/**
 * One refresher at a time for each authorisation, over all processes: Postgres session locks, all held by one session
 * of this process, so that a hundred refreshes at once do not empty the pool. A dead process's locks end with its
 * session. The lock saves calls only; that no pair is lost rests on `storage/token-chain.ts`. It needs a real session:
 * not through a pooler in transaction mode.
 */
export function createRefreshLock(pool: pg.Pool) {
  let session: Promise<Session> | null = null;
  let held = 0;
  // One statement at a time: a pg client's own queue is deprecated.
  let last: Promise<unknown> = Promise.resolve();

  // Kept, a session that is lost would take a place in the pool for ever.
  const open = () =>
    takeSession(pool, ({ giveBack }) => {
      session = null;
      giveBack();
    });

  function ask(statement: string, authorisationId: string): Promise<boolean> {
    const turn = last.then(async () => {
      session ??= open();
      const opening = session;
      try {
        const { client } = await opening;
        const { rows } = await client.query<{ done: boolean }>(statement, [authorisationId]);
        return rows[0]?.done === true;
      } catch (error) {
        session = null;
        await opening.then(({ giveBack }) => giveBack(error as Error)).catch(() => {});
        throw error;
      }
    });
    last = turn.catch(() => {});
    return turn;
  }

  const key = `hashtextextended('daybook.authorisation/' || $1, 0)`;

  return {
    /** False when another process has it. */
    async take(authorisationId: string): Promise<boolean> {
      held += 1;
      const taken = await ask(`select pg_try_advisory_lock(${key}) as done`, authorisationId).catch((error) => {
        held -= 1;
        throw error;
      });
      if (!taken) await giveBackIdle();
      return taken;
    },
    /**
     * Ends the session that holds the lock, to be used on a process that holds it for longer than any refresh takes. What that
     * process stores later is stored all the same. Returns how many sessions were ended.
     */
    async wrest(authorisationId: string): Promise<number> {
      const { rowCount } = await pool.query(
        `select pg_terminate_backend(pid) from pg_locks, ${key} as key
          where locktype = 'advisory' and granted and pid <> pg_backend_pid() and objsubid = 1
            and database = (select oid from pg_database where datname = current_database())
            and (classid::bigint << 32 | objid::bigint) = key`,
        [authorisationId],
      );
      return rowCount ?? 0;
    },
    /** Never throws: a session that is lost has lost its locks. */
    async release(authorisationId: string): Promise<void> {
      await ask(`select pg_advisory_unlock(${key}) as done`, authorisationId).catch(() => {});
      await giveBackIdle();
    },
  };

  /** Returns the session to the pool when nothing is held. */
  async function giveBackIdle(): Promise<void> {
    held -= 1;
    if (held > 0 || session === null) return;
    const idle = session;
    session = null;
    (await idle.catch(() => null))?.giveBack();
  }
}
