import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { drawPassword, scramVerifier } from '../cli/application-password.ts';
import { addApplication } from '../storage/applications.ts';
import { exportTo } from '../storage/export.ts';
import { openPool } from '../storage/pool.ts';
import { noLimits, startBench } from './stand.ts';

interface ViewTime {
  what: string;
  ms: number;
  toTheBareSum: string;
  asApplicationMs: number;
}

/** (g) What people ask of the books, as the owner and as an application that row-level security holds; against the bare sum of all lines. */
export async function views(journals: number): Promise<ViewTime[]> {
  const bench = await startBench(['--journals', String(journals), ...noLimits]);
  const clients: pg.Client[] = [];
  const login = async (url: URL) => {
    const client = new pg.Client({ connectionString: url.href });
    clients.push(client);
    await client.connect();
    return client;
  };
  try {
    const [connection = ''] = await bench.connectAll();
    for (const kind of ['journals', 'invoices'] as const) {
      const { workflowId } = await bench.imports.start(kind, { connection, application: 'bench' });
      const ending = await bench.imports.ending(workflowId);
      if (!ending.ok) throw new Error(`The import of ${kind} went wrong: ${JSON.stringify(ending)}`);
    }
    const url = new URL(bench.pool.options.connectionString ?? '');
    const owner = await login(url);
    const password = drawPassword();
    url.username =
      (await addApplication(bench.pool, { name: 'bench', actor: 'bench', verifier: scramVerifier(password) })) ?? '';
    url.password = password;
    const application = await login(url);
    const { rows } = await owner.query<{ tenant: string; first: string; last: string; known: string }>(
      `select tenant_id as tenant, (max(journal_date) - 90)::text as first, (max(journal_date) - 60)::text as last,
              (max(created_date_utc) - interval '60 days')::text as known from xero.journal group by tenant_id`,
    );
    const { tenant = '', first = '', last = '', known = '' } = rows[0] ?? {};
    const sums = 'select count(*), sum(net_amount) from';
    const asked: [string, string][] = [
      ['the bare sum of xero.journal_line', `${sums} xero.journal_line`],
      ['general_ledger, count and sum', `${sums} xero.general_ledger`],
      ['general_ledger_net, count and sum', `${sums} xero.general_ledger_net`],
      [
        'general_ledger_net of one organisation, count and sum',
        `${sums} xero.general_ledger_net where tenant_id = '${tenant}'`,
      ],
      ['general_ledger_as_known, count and sum', `${sums} xero.general_ledger_as_known('${known}')`],
      ['trial_balance', `select count(*), sum(balance) from xero.trial_balance('${tenant}', '${last}')`],
      [
        'general_ledger, an account in a month',
        `${sums} xero.general_ledger where account_code = '200' and journal_date between '${first}' and '${last}'`,
      ],
      [
        'xero_<connection>, the join of dbt_xero',
        `select count(*), sum(l.net_amount) from xero_t0.journal j left join xero_t0.journal_line l using (journal_id)
           left join xero_t0.account a using (account_id)`,
      ],
    ];
    const times: ViewTime[] = [];
    const time = async (what: string, [asOwner, asApplication]: [() => Promise<number>, () => Promise<number>]) => {
      const ms = await middle(asOwner);
      const toTheBareSum = (ms / (times[0]?.ms ?? ms)).toFixed(1);
      times.push({ what, ms, toTheBareSum, asApplicationMs: await middle(asApplication) });
    };
    const counted = (client: pg.Client, sql: string) => async () =>
      Number((await client.query<{ count: string }>(sql)).rows[0]?.count ?? 0);
    for (const [what, sql] of asked) await time(what, [counted(owner, sql), counted(application, sql)]);
    const nowhere = () => new Writable({ write: (_chunk, _encoding, taken) => taken() });
    const copied = (client: pg.Client) => async () => {
      const copy = client.query(copyTo('copy (select * from xero.general_ledger) to stdout with (format csv)'));
      await pipeline(copy, nowhere());
      return copy.rowCount;
    };
    await time('a bare COPY of general_ledger, every column', [copied(owner), copied(application)]);
    const exported = (pool: pg.Pool) => () =>
      exportTo(pool, 'general-ledger', { tenantId: tenant, basis: 'accrual', modifiedSince: null }, nowhere());
    const asApplication = openPool(url.href, 1, () => {});
    await time('daybook export general-ledger, all of it', [exported(bench.pool), exported(asApplication)]);
    await asApplication.end();
    return times;
  } finally {
    for (const client of clients) await client.end();
    await bench.close();
  }
}

/** The middle of three, after one that warms up, in milliseconds; nothing counted is no measurement. */
async function middle(count: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 4; round++) {
    const began = performance.now();
    if ((await count()) === 0) throw new Error('Nothing was counted.');
    times.push(performance.now() - began);
  }
  return Math.round(times.slice(1).toSorted((a, b) => a - b)[1] ?? 0);
}
