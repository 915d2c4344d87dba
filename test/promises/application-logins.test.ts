import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawPassword, scramVerifier } from '../../cli/application-password.ts';
import { accessFaults, addApplication, listApplications, removeApplication } from '../../storage/applications.ts';
import { openPool } from '../../storage/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { daybook } from '../support/daybook.ts';

// A login belongs to the whole server: its owner may leave something anywhere, and a copy of the database names it, too.

let database: TestDatabase;
let elsewhere: TestDatabase;
const copyName = `daybook_copy_${randomBytes(4).toString('hex')}`;

beforeAll(async () => {
  [database, elsewhere] = await Promise.all([createTestDatabase(), createTestDatabase({ migrated: false })]);
  await database.pool.query(
    `insert into daybook.connection (name, authorisation_id, tenant_id, tenant_name)
     values ('acme', gen_random_uuid(), gen_random_uuid(), 'Acme')`,
  );
});
afterAll(async () => {
  await elsewhere.pool.query(`drop database if exists ${copyName} with (force)`);
  for (const { name } of await listApplications(database.pool)) {
    await removeApplication(database.pool, { name, actor: 'test' });
  }
  await database.pool.query(
    `do $$ begin execute format('drop owned by %1$I; drop role %1$I', daybook.readers_role());
     exception when undefined_object then null; end $$`,
  );
  await Promise.all([database.drop(), elsewhere.drop()]);
});

const databaseOf = (url: string) => new URL(url).pathname.slice(1);
async function login(name: string) {
  const password = drawPassword();
  const role = (await addApplication(database.pool, { name, actor: 'test', verifier: scramVerifier(password) })) ?? '';
  await database.pool.query(
    `insert into daybook.connection_application select connection_id, $1 from daybook.connection`,
    [name],
  );
  return { role, password };
}
async function session(url: string, role: string, password: string): Promise<pg.Client> {
  const address = new URL(url);
  [address.username, address.password] = [role, password];
  const client = new pg.Client({ connectionString: address.href });
  client.on('error', () => {});
  await client.connect();
  return client;
}

test('an application cannot keep its access by what it has in another database; remove names that, and given again finishes', async () => {
  const { role, password } = await login('planning');
  const [reading, hiding] = await Promise.all([
    session(database.url, role, password),
    session(elsewhere.url, role, password),
  ]);
  await hiding.query('select lo_create(0)');

  const refused = await daybook(['applications', 'remove', 'planning'], { DATABASE_URL: database.url });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/^"planning" may read and import nothing any more[^\n]*\n$/);
  expect(refused.stderr).toContain(
    `something in the database "${databaseOf(elsewhere.url)}" of the same server. As a superuser, run \`drop owned by "${role}"\` there`,
  );
  for (const client of [reading, hiding]) await expect(client.query('select 1')).rejects.toThrow();
  await expect(session(database.url, role, password)).rejects.toThrow(/not permitted to log in/);
  expect((await database.pool.query('select from daybook.connection_application')).rowCount).toBe(0);
  expect(await accessFaults(database.pool)).toEqual([
    'The login of the application "planning" is closed: `daybook applications remove "planning"` finishes a removal, and `rotate` opens it again.',
  ]);

  await elsewhere.pool.query(`drop owned by ${role}`);
  const removed = await daybook(['applications', 'remove', 'planning'], { DATABASE_URL: database.url });
  expect(removed.code).toBe(0);
  expect(await listApplications(database.pool)).toEqual([]);
  expect((await database.pool.query('select from pg_roles where rolname = $1', [role])).rowCount).toBe(0);
});

test('in a copy on the same server an application gets a login of its own, and that of the original stays as it is', async () => {
  const { role, password } = await login('planning');
  const leaving = await login('leaving');
  // A database that somebody is connected to cannot be copied.
  await elsewhere.pool.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${databaseOf(database.url)}'`,
  );
  await elsewhere.pool.query(`create database ${copyName} template ${databaseOf(database.url)}`);
  const address = new URL(database.url);
  address.pathname = `/${copyName}`;
  const copy = openPool(address.href, 2, () => {});
  try {
    expect(await accessFaults(copy)).toEqual(
      [leaving.role, role].map((each) => {
        const name = each === role ? 'planning' : 'leaving';
        return `The application "${name}" has the login "${each}" of another database, as in a copy of one: give it a login of its own with \`daybook applications rotate "${name}"\`.`;
      }),
    );
    const rotated = await daybook(['applications', 'rotate', 'planning', '--json'], { DATABASE_URL: address.href });
    expect([rotated.code, rotated.stderr]).toEqual([0, expect.not.stringContaining('"planning"')]);
    const made = JSON.parse(rotated.stdout) as { role: string; url: string };
    expect(made.role).not.toBe(role);
    const removed = await daybook(['applications', 'remove', 'leaving'], { DATABASE_URL: address.href });
    expect(removed.code).toBe(0);
    expect(await accessFaults(copy)).toEqual([]);

    const inCopy = new pg.Client({ connectionString: made.url });
    await inCopy.connect();
    await inCopy.query('select * from xero_acme.journal');
    await inCopy.end();
    // The original's logins open the original, by their passwords of before, and nothing of the copy.
    for (const each of [{ role, password }, leaving]) {
      const original = await session(database.url, each.role, each.password);
      await original.query('select * from xero_acme.journal');
      await original.end();
      const stranger = await session(address.href, each.role, each.password);
      await expect(stranger.query('select * from xero.journal')).rejects.toThrow(/permission denied/);
      await expect(stranger.query('select * from xero_acme.journal')).rejects.toThrow(/permission denied/);
      await stranger.end();
    }
  } finally {
    await removeApplication(copy, { name: 'planning', actor: 'test' });
    await copy.query(
      `do $$ begin execute format('drop owned by %1$I; drop role %1$I', daybook.readers_role()); end $$`,
    );
    await copy.end();
  }
});

test('one application cannot use up the connections of all', async () => {
  const { role } = await login('crowd');
  const { rows } = await database.pool.query('select rolconnlimit from pg_roles where rolname = $1', [role]);
  expect(rows).toEqual([{ rolconnlimit: 20 }]);
});
