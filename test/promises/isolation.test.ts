import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawPassword, scramVerifier } from '../../cli/application-password.ts';
import { accessFaults, rotateApplication } from '../../storage/applications.ts';
import { denyApplication } from '../../storage/connections.ts';
import type { TestDatabase } from '../support/database.ts';
import { drawSeed } from '../support/observe.ts';
import { books, lists, type Name, names, ownOfDaybook, startTenants, tenants } from '../support/tenants.ts';

describe('An application reads only the tenants of the connections that list it', () => {
  let database: TestDatabase;
  let relations: { name: string; kind: string }[];
  let stand: Awaited<ReturnType<typeof startTenants>>;
  let { clients, roles, passwords, connectionIds, login } = {} as typeof stand;

  beforeAll(async () => {
    stand = await startTenants();
    ({ database, clients, roles, passwords, connectionIds, login } = stand);
    const found = await database.pool.query<{ name: string; kind: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name, c.relkind as kind
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where (n.nspname in ('xero', 'daybook') or n.nspname like 'xero\\_%') and c.relkind in ('r', 'p', 'v', 'm', 'f')
        order by 1`,
    );
    relations = found.rows;
  });
  afterAll(() => stand.close());

  /** The tenants whose rows a session sees in a table. */
  async function seen(db: Pick<pg.Client, 'query'>, table: string): Promise<string[]> {
    const column =
      table === 'daybook.page_receipt'
        ? '(select tenant_id from daybook.import_run r where r.run_id = t.run_id)'
        : 'tenant_id';
    const { rows } = await db.query<{ tenant: string }>(`select ${column}::text as tenant from ${table} t order by 1`);
    return rows.map(({ tenant: each }) => each);
  }
  const expected = (name: Name) => lists[name].map((letter) => tenants[letter]).sort();

  const refusal = (statement: string, client: pg.Client) =>
    client.query(statement).then(
      () => 'done',
      (error: { code: string }) => error.code,
    );

  test('no fault in the catalogue, and nobody has forgotten to say here who reads a new table', async () => {
    expect(await accessFaults(database.pool)).toEqual([]);
    const tables = relations.filter(({ name, kind }) => kind !== 'v' && name.startsWith('xero'));
    expect(tables.map(({ name }) => name)).toEqual([...books].sort());
  });

  test('the matrix: every table and view × every application × every kind of statement', async () => {
    const denied = '42501';
    // A view that joins, a generated column, a computed one: none can be written, and Postgres finds that first.
    const notWritable = ['55000', '428C9', '0A000'];
    for (const { name: relation, kind } of relations) {
      for (const name of names) {
        const client = clients[name];
        const where = `${relation} for ${name}`;
        const column = (
          await database.pool.query(
            `select quote_ident(attname) as c from pg_attribute where attrelid = $1::regclass and attnum = 1`,
            [relation],
          )
        ).rows[0].c;
        if (books.includes(relation) || ownOfDaybook.includes(relation)) {
          expect([where, await seen(client, relation)]).toEqual([where, expected(name)]);
          expect([where, await refusal(`copy (select * from ${relation}) to '/tmp/stolen'`, client)]).toEqual([
            where,
            denied,
          ]);
        } else if (relation.startsWith('xero.') && kind === 'v') {
          const rows = JSON.stringify((await client.query(`select * from ${relation}`)).rows);
          const foreign = Object.values(tenants).filter((each) => !expected(name).includes(each));
          expect([where, foreign.filter((each) => rows.includes(each))]).toEqual([where, []]);
        } else if (relation.startsWith('xero_')) {
          const letter = /acme_(.)/.exec(relation)?.[1] ?? '';
          const listed = (lists[name] as readonly string[]).includes(letter);
          expect([where, await refusal(`select * from ${relation}`, client)]).toEqual([
            where,
            listed ? 'done' : denied,
          ]);
        } else {
          expect([where, await refusal(`select * from ${relation}`, client)]).toEqual([where, denied]);
          expect([where, await refusal(`copy ${relation} to stdout`, client)]).toEqual([where, denied]);
        }
        for (const statement of [
          `insert into ${relation} default values`,
          `update ${relation} set ${column} = default`,
          `delete from ${relation}`,
          `create trigger t before insert on ${relation} execute function suppress_redundant_updates_trigger()`,
          ...(kind === 'v' ? [] : [`truncate ${relation}`, `copy ${relation} from stdin`]),
        ]) {
          const refusals = kind === 'v' ? [denied, ...notWritable] : [denied];
          expect(refusals, `${statement} by ${name}`).toContain(await refusal(statement, client));
        }
      }
    }
  });

  test('forged settings, other roles, row_security and functions in the filter change nothing', async () => {
    const client = clients.planning;
    await client.query(`set daybook.application = 'BI Tool'; set daybook.connection_id = '${connectionIds.c}'`);
    expect(await seen(client, 'xero.journal')).toEqual(expected('planning'));
    expect(await refusal(`set role ${roles['BI Tool']}`, client)).toBe('42501');
    expect(await refusal(`set session authorization ${roles['BI Tool']}`, client)).toBe('42501');
    const readers = (await database.pool.query('select daybook.readers_role() as r')).rows[0].r;
    await client.query(`set role ${readers}`);
    expect(await seen(client, 'xero.journal')).toEqual(expected('planning'));
    await client.query('reset role; set row_security = off');
    expect(await refusal('select * from xero.journal', client)).toBe('42501');
    await client.query('set row_security = on');
    await client.query(`create temp table spied (tenant text);
      create function pg_temp.spy(t uuid) returns bool language plpgsql cost 0.0000001 as
      $$ begin insert into spied values (t); return true; end $$`);
    await client.query('select * from xero.journal where pg_temp.spy(tenant_id)');
    const { rows } = await client.query('select distinct tenant from spied order by 1');
    expect(rows.map(({ tenant: each }) => each)).toEqual(expected('planning'));
    for (const place of ['public', 'xero', 'daybook']) {
      expect(await refusal(`create table ${place}.mine (x int)`, client)).toBe('42501');
    }
  });

  test('random statements never bring a foreign row', async () => {
    const table = fc.constantFrom(...books, ...ownOfDaybook);
    const filter = fc.constantFrom(
      'true',
      `t.tenant_id = '${tenants.a}'`,
      `t.tenant_id <> '${tenants.b}' or true`,
      `t.tenant_id in (select tenant_id from xero.invoice)`,
      `exists (select from xero.journal j where j.tenant_id <> t.tenant_id)`,
      `coalesce((select true from daybook.quarantine q limit 1), true)`,
    );
    const shape = fc.constantFrom(
      (t: string, f: string) => `select t.*::text as x from ${t} t where ${f}`,
      (t: string, f: string) => `with w as materialized (select * from ${t} t where ${f}) select w::text as x from w`,
      (t: string, f: string) => `select string_agg(t::text, ',') as x from ${t} t where ${f}`,
      (t: string, f: string) =>
        `select t::text || o.tenant_id as x from ${t} t full join xero.organisation o on true where ${f}`,
    );
    const seed = drawSeed('isolation');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), table, filter, shape, async (name, t, f, make) => {
        if (t === 'daybook.page_receipt') return;
        const own = expected(name);
        const { rows } = await clients[name].query(make(t, f).replace('t.*::text', 't::text'));
        const text = JSON.stringify(rows);
        for (const each of Object.values(tenants)) if (!own.includes(each)) expect(text).not.toContain(each);
      }),
      { seed, numRuns: 400 },
    );
  });

  test('each policy dropped, loosened or disabled, each view or grant opened in turn is found', async () => {
    const secured = relations.filter(
      ({ name, kind }) => kind !== 'v' && (books.includes(name) || ownOfDaybook.includes(name)),
    );
    const mutations = [
      ...secured.flatMap(({ name }) => [
        `drop policy by_application on ${name}`,
        `alter policy by_application on ${name} using (true)`,
        `alter table ${name} disable row level security`,
        `create policy more on ${name} for select using (true)`,
        `grant insert on ${name} to ${roles.planning}`,
        `grant truncate on ${name} to public`,
      ]),
      ...relations
        .filter(({ kind }) => kind === 'v')
        .map(({ name }) => `alter view ${name} set (security_invoker = false)`),
      'create table xero.forgotten (tenant_id uuid)',
      'create view xero.forgotten as select * from xero.journal',
      `create materialized view xero.kept as select * from xero.journal; grant select on xero.kept to ${roles.planning}`,
      `grant select on daybook.authorisation_token to ${roles.planning}`,
      `grant select (sealed) on daybook.authorisation_token to ${roles.planning}`,
      'grant create on schema public to public',
      `alter role ${roles.planning} bypassrls`,
      `grant pg_read_all_data to ${roles.planning}`,
      'grant execute on function daybook.readable_tenants() to public',
      'alter function daybook.own_application() reset search_path',
    ];
    const client = await database.pool.connect();
    try {
      for (const mutation of mutations) {
        await client.query('begin');
        await client.query(mutation);
        const faults = await accessFaults(client);
        await client.query('rollback');
        expect([mutation, faults.length]).toEqual([mutation, expect.toSatisfy((n: number) => n > 0)]);
      }
      // And the rows tell the same: without its policy a table shows nothing, without row-level security everything.
      for (const { name } of secured) {
        for (const mutation of [
          `drop policy by_application on ${name}`,
          `alter table ${name} disable row level security`,
        ]) {
          await client.query('begin');
          await client.query(mutation);
          await client.query(`set local session authorization ${roles.planning}`);
          expect([mutation, await seen(client, name)]).not.toEqual([mutation, expected('planning')]);
          await client.query('rollback');
        }
      }
    } finally {
      client.release();
    }
  });

  test('the policy asks for the list once a statement, and reads by the key', async () => {
    const { rows } = await clients.planning.query('explain (costs off) select * from xero.journal_line');
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('InitPlan');
    expect(plan).not.toContain('SubPlan');
  });

  test('what is denied is gone at once; a new password ends the old sessions', async () => {
    // Whatever locks a login can take keep nobody from taking its access away.
    await clients.planning.query(`select pg_advisory_lock(hashtextextended('daybook.access', 0))`);
    expect(
      await refusal('do $$ begin lock table daybook.access_lock in access share mode; end $$', clients.planning),
    ).toBe('42501');
    await denyApplication(database.pool, connectionIds.b, 'planning');
    expect(await seen(clients.planning, 'xero.journal')).toEqual([tenants.a]);
    expect(await seen(clients.planning, 'daybook.import_run')).toEqual([tenants.a]);
    const password = drawPassword();
    await rotateApplication(database.pool, { name: 'planning', actor: 'test', verifier: scramVerifier(password) });
    await expect(clients.planning.query('select 1')).rejects.toThrow();
    await expect(login('planning')).rejects.toThrow(/password authentication failed/);
    passwords.planning = password;
    clients.planning = await login('planning');
    expect(await seen(clients.planning, 'xero.journal')).toEqual([tenants.a]);
    const audit = await database.pool.query('select audit::text as row from daybook.audit');
    expect(audit.rowCount).toBe(names.length + 1);
    expect(JSON.stringify(audit.rows)).not.toMatch(new RegExp(Object.values(passwords).join('|')));
  });
});
