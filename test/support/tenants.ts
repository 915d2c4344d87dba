import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { drawPassword, scramVerifier } from '../../cli/application-password.ts';
import { addApplication, removeApplication } from '../../storage/applications.ts';
import { createTestDatabase } from './database.ts';

/**
 * Which tables hold an application's own rows. A table or view that stands nowhere here fails the test: whoever adds one
 * says here who reads it. Views are not listed: they show what their tables do.
 */
export const books = [
  'account',
  'account_history',
  'contact',
  'invoice',
  'invoice_line_item',
  'invoice_line_item_tracking',
  'invoice_settlement',
  'journal',
  'journal_line',
  'journal_line_tracking',
  'organisation',
  'tracking_category',
  'tracking_category_option',
].map((table) => `xero.${table}`);
export const ownOfDaybook = [
  'daybook.import_run',
  'daybook.page_receipt',
  'daybook.quarantine',
  'daybook.reconciliation',
  'daybook.reconciliation_account',
];

export const tenants = { a: tenant('a'), b: tenant('b'), c: tenant('c') };
export type Tenant = keyof typeof tenants;
export const lists = { planning: ['a', 'b'], 'BI Tool': ['c'], 'none listed': [] } as const;
export type Name = keyof typeof lists;
export const names = Object.keys(lists) as Name[];

/** Three tenants with a canary row in every table, and three applications that log in: with two of them, one, none. */
export async function startTenants() {
  const database = await createTestDatabase();
  const clients = {} as Record<Name, pg.Client>;
  const roles = {} as Record<Name, string>;
  const passwords = {} as Record<Name, string>;
  const connectionIds = {} as Record<Tenant, string>;
  for (const letter of Object.keys(tenants) as Tenant[]) await connectTenant(letter);
  for (const name of names) {
    const password = drawPassword();
    passwords[name] = password;
    const role = await addApplication(database.pool, { name, actor: 'test', verifier: scramVerifier(password) });
    roles[name] = role ?? '';
    clients[name] = await login(name);
  }
  async function login(name: Name): Promise<pg.Client> {
    const url = new URL(database.url);
    url.username = roles[name];
    url.password = passwords[name];
    const client = new pg.Client({ connectionString: url.href });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** A connection of its own, and in every table a row that names the tenant. */
  async function connectTenant(letter: Tenant): Promise<void> {
    const { pool } = database;
    const tenantId = tenants[letter];
    const { rows } = await pool.query<{ connection_id: string }>(
      `insert into daybook.connection (name, authorisation_id, tenant_id, tenant_name)
       values ($1, gen_random_uuid(), $2, $3) returning connection_id`,
      [`acme-${letter}`, tenantId, `canary-${letter}`],
    );
    connectionIds[letter] = rows[0]?.connection_id ?? '';
    for (const name of names.filter((each) => (lists[each] as readonly string[]).includes(letter))) {
      await pool.query('insert into daybook.connection_application values ($1, $2)', [connectionIds[letter], name]);
    }
    // Runs of every application on every tenant: each may see only its own, where it is listed.
    for (const name of names) {
      await pool.query(
        `with run as (
           insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id,
             stream, request, starting_at, moves_watermark, ended_at, status)
           values (gen_random_uuid(), 'w', $1, $2, $3, $4, 'journals', '{}', 1, false, now(), 'caughtUp') returning run_id)
         insert into daybook.page_receipt (run_id, after_number, through_number, journals, stored)
         select run_id, 0, 1, 1, 1 from run`,
        [connectionIds[letter], `canary-${letter}`, name, tenantId],
      );
    }
    await pool.query(
      `insert into daybook.quarantine (tenant_id, stream, run_id, reason, payload)
       values ($1, 'journals', gen_random_uuid(), 'canary', $2)`,
      [tenantId, `canary-${letter}`],
    );
    await pool.query(
      `with certificate as (
         insert into daybook.reconciliation (run_id, workflow_id, connection_id, connection_name, application, tenant_id, basis,
           on_date, first_journal, last_journal, journals, clean, accounts, message)
         values (gen_random_uuid(), 'w', $1, $2, 'x', $3, 'accrual', now(), 1, 1, 1, true, 1, 'canary') returning run_id)
       insert into daybook.reconciliation_account (run_id, tenant_id, account_key, xero_balance, ledger_balance, unexplained)
       select run_id, $3, 'canary', 0, 0, 0 from certificate`,
      [connectionIds[letter], `canary-${letter}`, tenantId],
    );
    for (const table of books) await pool.query(await canaryRow(table, tenantId));
  }

  /** An insert with a value for each column that wants one. */
  async function canaryRow(table: string, tenantId: string): Promise<string> {
    const { rows } = await database.pool.query<{ name: string; type: string }>(
      `select attname as name, format_type(atttypid, null) as type from pg_attribute
        where attrelid = $1::regclass and attnum > 0 and not attisdropped and attnotnull and not atthasdef
          and attidentity = ''`,
      [table],
    );
    const value = ({ name, type }: { name: string; type: string }) => {
      if (name === 'tenant_id') return `'${tenantId}'`;
      if (name === 'basis') return `'accrual'`;
      if (name === 'kind') return `'payment'`;
      if (type === 'uuid') return 'gen_random_uuid()';
      if (/^(date|timestamp)/.test(type)) return 'now()';
      if (type === 'jsonb') return `'{}'`;
      return type === 'text' ? `'x'` : '1';
    };
    return `insert into ${table} (${rows.map(({ name }) => name)}) values (${rows.map(value)})`;
  }

  return {
    database,
    clients,
    roles,
    passwords,
    connectionIds,
    login,
    async close() {
      for (const client of Object.values(clients)) await client.end().catch(() => {});
      for (const name of names) await removeApplication(database.pool, { name, actor: 'test' });
      const { rows } = await database.pool.query<{ readers: string }>('select daybook.readers_role() as readers');
      await database.pool.query(`drop owned by ${rows[0]?.readers}; drop role ${rows[0]?.readers}`);
      await database.drop();
    },
  };
}

function tenant(letter: string): string {
  const hex = randomBytes(6).toString('hex');
  return `${letter.repeat(8)}-0000-4000-8000-${hex}`;
}
