import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawPassword, scramVerifier } from '../../cli/application-password.ts';
import { accessFaults, addApplication, removeApplication } from '../../storage/applications.ts';
import { migrate } from '../../storage/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { daybook } from '../support/daybook.ts';

interface Login {
  role: string;
  password: string;
  url: string;
  connections: string[];
}

describe('Applications, in a database whose owner is no superuser', () => {
  let database: TestDatabase;
  let other: TestDatabase;
  let ownerUrl: string;
  const owner = `daybook_owner_${randomBytes(4).toString('hex')}`;
  const logins: Login[] = [];

  beforeAll(async () => {
    [database, other] = await Promise.all([createTestDatabase({ migrated: false }), createTestDatabase()]);
    const url = new URL(database.url);
    [url.username, url.password] = [owner, 'owner'];
    ownerUrl = url.href;
    await database.pool.query(`create role ${owner} login password 'owner'`);
    await database.pool.query(`alter database ${url.pathname.slice(1)} owner to ${owner}`);
    await migrate(ownerUrl);
    await asOwner(`
      insert into daybook.connection (name, authorisation_id, tenant_id, tenant_name)
        values ('acme-au', gen_random_uuid(), gen_random_uuid(), 'Acme');
      insert into xero.account (tenant_id, account_id, payload, run_id)
        select t, gen_random_uuid(), '{}', gen_random_uuid() from (select tenant_id from daybook.connection
          union all select gen_random_uuid()) as tenants(t);`);
  });
  afterAll(async () => {
    await removeApplication(other.pool, { name: 'Planning Tool', actor: 'test' });
    await other.pool.query(dropReaders);
    await database.pool.query(dropReaders);
    await database.drop();
    await other.drop();
    const admin = await createTestDatabase({ migrated: false });
    await admin.pool.query(`drop role ${owner}`);
    await admin.drop();
  });
  const dropReaders = `do $$ begin execute format('drop owned by %1$I; drop role %1$I', daybook.readers_role());
                       exception when undefined_object then null; end $$`;

  const command = (...args: string[]) => daybook(args, { DATABASE_URL: ownerUrl });
  async function once<R extends pg.QueryResultRow>(url: string, sql: string): Promise<R[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<R>(sql)).rows ?? [];
    } finally {
      await client.end();
    }
  }
  const asOwner = (sql: string) => once(ownerUrl, sql);
  async function login(...args: string[]): Promise<Login> {
    const { stdout, stderr, code } = await command('applications', ...args, '--json');
    expect([code, stderr]).toEqual([0, '']);
    const made = JSON.parse(stdout) as Login;
    logins.push(made);
    return made;
  }
  const readSchema = (url: string) => once(url, 'select * from xero_acme_au.account');

  test('who may not make roles is told the remedy, and nothing is made', async () => {
    const { code, stderr } = await command('applications', 'add', 'Planning Tool');
    expect(stderr).toMatch(new RegExp(`"${owner}" may not make roles.*alter role "${owner}" createrole`));
    expect(code).toBe(2);
    expect(await asOwner('select * from daybook.application')).toEqual([]);
    await database.pool.query(`alter role ${owner} createrole`);
  });

  test('add prints a login that works; allow opens the connection’s schema to it, and deny closes it', async () => {
    const { url, role, connections } = await login('add', 'Planning Tool');
    expect(connections).toEqual([]);
    expect(await once(url, 'select * from xero.account')).toEqual([]);
    await expect(readSchema(url)).rejects.toThrow(/permission denied for schema/);
    const allow = `insert into daybook.connection_application select connection_id, 'Planning Tool' from daybook.connection`;
    await asOwner(allow);
    expect(await readSchema(url)).toHaveLength(1);
    expect(await once(url, 'select * from xero.account')).toHaveLength(1);
    const listed = JSON.parse((await command('applications', 'list', '--json')).stdout);
    expect(listed).toMatchObject([{ name: 'Planning Tool', role, connections: ['acme-au'] }]);
    const again = await command('applications', 'add', 'Planning Tool');
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('has a login already') });
    await asOwner('delete from daybook.connection_application');
    await expect(readSchema(url)).rejects.toThrow(/permission denied for schema/);
    expect(await once(url, 'select * from xero.account')).toEqual([]);
    await asOwner(allow);
  });

  test('the same name in another database of the server is another login', async () => {
    const password = drawPassword();
    const login = { name: 'Planning Tool', actor: 'test', verifier: scramVerifier(password) };
    const role = (await addApplication(other.pool, login)) ?? '';
    const address = new URL(other.url);
    [address.username, address.password] = [role, password];
    const url = address.href;
    expect(role).not.toBe(logins[0]?.role);
    expect(await once(url, 'select * from xero.account')).toEqual([]);
    const here = new URL(url);
    here.pathname = new URL(ownerUrl).pathname;
    await expect(once(here.href, 'select * from xero.account')).rejects.toThrow(/permission denied/);
  });

  test('rotate ends the old password', async () => {
    const { url } = await login('rotate', 'Planning Tool');
    expect(await readSchema(url)).toHaveLength(1);
    await expect(readSchema(logins[0]?.url ?? '')).rejects.toThrow(/password authentication failed/);
  });

  test('a table that comes later is closed until it has its policy, and then open', async () => {
    const url = logins.at(-1)?.url ?? '';
    await asOwner(
      'create table xero.later (tenant_id uuid); insert into xero.later select tenant_id from xero.account',
    );
    await expect(once(url, 'select * from xero.later')).rejects.toThrow(/permission denied/);
    const client = new pg.Client({ connectionString: ownerUrl });
    await client.connect();
    expect(await accessFaults(client)).toContain('xero.later has no row-level security.');
    await migrate(ownerUrl);
    expect(await accessFaults(client)).toEqual([]);
    await client.end();
    expect(await once(url, 'select * from xero.later')).toHaveLength(1);
  });

  test('no password is in any column, and each act is in the audit', async () => {
    const tables = await asOwner(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('daybook', 'xero')`,
    );
    const texts = await Promise.all(
      tables.map(({ name }) => asOwner(`select string_agg(t::text, '') as text from ${name} t`)),
    );
    const dump = JSON.stringify(texts);
    expect(dump).toContain('rotateApplication');
    for (const { password } of logins) expect(dump).not.toContain(password);
    const keeps = await database.pool.query('select rolpassword from pg_authid where rolname = $1', [logins[0]?.role]);
    expect(keeps.rows[0].rolpassword).toMatch(/^SCRAM-SHA-256\$4096:/);
  });

  test('remove takes it off the lists and drops the login, whoever is using it', async () => {
    const client = new pg.Client({ connectionString: logins.at(-1)?.url ?? '' });
    client.on('error', () => {});
    await client.connect();
    await client.query('create temp table mine (x int)');
    const removed = await command('applications', 'remove', 'Planning Tool');
    expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining('taken off "acme-au"') });
    await expect(client.query('select 1')).rejects.toThrow();
    const { rowCount } = await database.pool.query('select from pg_roles where rolname = $1', [logins[0]?.role]);
    expect(rowCount).toBe(0);
    expect(await asOwner('select * from daybook.connection_application')).toEqual([]);
  });
});
