import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawPassword, scramVerifier } from '../../cli/application-password.ts';
import { addApplication, removeApplication } from '../../storage/applications.ts';
import { migrate } from '../../storage/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// Whoever may read can keep a transaction open, and can take any advisory lock there is.

let database: TestDatabase;
let reader: pg.Client;
let role: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const password = drawPassword();
  const planning = { name: 'planning', actor: 'test', verifier: scramVerifier(password) };
  role = (await addApplication(database.pool, planning)) ?? '';
  const url = new URL(database.url);
  [url.username, url.password] = [role, password];
  reader = new pg.Client({ connectionString: url.href, application_name: 'notebook' });
  reader.on('error', () => {});
  await reader.connect();
});
afterAll(async () => {
  await removeApplication(database.pool, { name: 'planning', actor: 'test' });
  await database.pool.query(
    `do $$ begin execute format('drop owned by %1$I; drop role %1$I', daybook.readers_role()); end $$`,
  );
  await database.drop();
});

test('no lock that an application can take keeps a migration waiting', { timeout: 30_000 }, async () => {
  await reader.query('select pg_advisory_lock(7241865325823964)');
  expect(await migrate(database.url)).toEqual([]);
  const lock = 'do $$ begin lock table daybook.migration in access share mode; end $$';
  await expect(reader.query(lock)).rejects.toThrow(/permission denied/);
});

test('a migration names who keeps a transaction open, lets the others read meanwhile, and goes on when it is over', {
  timeout: 60_000,
}, async () => {
  await reader.query('begin');
  await reader.query('select * from xero.account');
  const { rows } = await reader.query('select pg_backend_pid() as pid');
  // As a migration that brings a table: it must be closed before anybody reads it.
  await database.pool.query('alter table xero.account_history disable row level security');
  await reader.query('select * from xero.account_history');

  const said: string[] = [];
  const refused = await migrate(database.url, { say: (line) => said.push(line), tries: 2 }).catch((error) => error);
  expect(refused).toMatchObject({ name: 'UnfitDatabase' });
  const sentence = `process ${rows[0].pid} (${role}, notebook, since `;
  expect(refused.message).toContain(sentence);
  expect(refused.message).toContain('have that transaction ended, then run `daybook migrate` again');
  expect(said).toEqual([expect.stringContaining(sentence)]);

  let isTold = () => {};
  const told = new Promise<void>((done) => {
    isTold = done;
  });
  const migrating = migrate(database.url, { say: () => isTold() });
  await told;
  // Nobody queues behind it for longer than it waits itself.
  await database.pool.query('select * from xero.account_history');
  await reader.query('rollback');
  expect(await migrating).toEqual([]);
  const secured = await database.pool.query(
    `select relrowsecurity as secured from pg_class where oid = 'xero.account_history'::regclass`,
  );
  expect(secured.rows).toEqual([{ secured: true }]);
});

test('two that begin with an empty database do not get in each other’s way', { timeout: 120_000 }, async () => {
  const empty = await createTestDatabase({ migrated: false });
  try {
    const ran = await Promise.all([migrate(empty.url), migrate(empty.url)]);
    const { rows } = await empty.pool.query('select name from daybook.migration order by id');
    expect(ran.flat()).toEqual(rows.map(({ name }) => name));
  } finally {
    await empty.drop();
  }
});
