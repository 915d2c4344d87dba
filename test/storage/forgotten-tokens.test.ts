import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endAuthorisation } from '../../storage/authorisations.ts';
import { inTransaction } from '../../storage/pool.ts';
import { appendToken, beginAttempt } from '../../storage/token-chain.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool;
});
afterAll(() => database.drop());

/** An authorisation with one pair, and a refresh of it that has been sent to Xero. */
async function refreshing() {
  const { rows } = await pool.query<{ id: string }>(
    `insert into daybook.authorisation (client_id, kind, status) values ('c', 'oauth', 'active') returning authorisation_id as id`,
  );
  const authorisationId = rows[0]?.id ?? '';
  /** Sends for the pair behind this one; what it answers stores Xero's answer. */
  const send = async (generation: number) => {
    const attemptId = await beginAttempt(pool, authorisationId, generation, generation);
    if (attemptId === null) throw new Error('The chain has moved.');
    const pair = {
      authorisationId,
      attemptId,
      seenGeneration: generation,
      issuedAt: generation,
      lifeSeconds: 1_800,
      scopes: null,
      seal: async () => ({ sealed: generation }),
    };
    return (db: pg.PoolClient) => appendToken(db, pair);
  };
  await inTransaction(pool, await send(0));
  return { authorisationId, answered: await send(1) };
}

async function sealedPairs(authorisationId: string): Promise<number> {
  const { rows } = await pool.query<{ pairs: number }>(
    `select count(sealed) as pairs from daybook.authorisation_token where authorisation_id = $1`,
    [authorisationId],
  );
  return rows[0]?.pairs ?? 0;
}

test('a refresh that is answered after its tokens were forgotten leaves none behind', async () => {
  const { authorisationId, answered } = await refreshing();
  expect(await sealedPairs(authorisationId)).toBe(1);
  await endAuthorisation(pool, authorisationId, 'Forgotten here.');
  expect(await inTransaction(pool, answered)).toMatchObject({ inUse: false });
  expect(await sealedPairs(authorisationId)).toBe(0);
});

test('nor does one whose answer is being stored while they are forgotten', async () => {
  const { authorisationId, answered } = await refreshing();
  const forgotten = await inTransaction(pool, async (db) => {
    expect(await answered(db)).toMatchObject({ inUse: true });
    const ending = endAuthorisation(pool, authorisationId, 'Forgotten here.');
    await expect
      .poll(async () => {
        // Who waits for a row waits for the transaction that holds it.
        const { rows } = await pool.query(
          `select from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()`,
        );
        return rows.length;
      })
      .toBeGreaterThan(0);
    return { ending };
  });
  await forgotten.ending;
  expect(await sealedPairs(authorisationId)).toBe(0);
});
