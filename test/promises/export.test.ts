import { execFile } from 'node:child_process';
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ExportKind, exportColumns, exportTo } from '../../storage/export.ts';
import { openPool } from '../../storage/pool.ts';
import { daybook } from '../support/daybook.ts';
import { runProcess } from '../support/processes.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
let folder: string;
const query = async (sql: string, values: unknown[] = []) => (await stand.database.pool.query(sql, values)).rows;
const exportAll = (kind: ExportKind, ...more: string[]) =>
  daybook(['export', kind, '--connection', stand.connection, ...more], stand.environment);

/** Texts that a spreadsheet would run, and one that tries the quoting. */
const dangerous = ['=1+1', '+1', '-1', '@sum(a1)', '\t=1', '\r=1'];
const awkward = 'a "b", c\r\nd\ne';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'daybook-export-'));
  stand = await startStand({ sandbox: { journals: 400, seed: 21, limits: { minute: 10_000 } } });
  expect(await stand.importJournals()).toMatchObject({ ok: true });
  expect(await stand.importInvoices()).toMatchObject({ ok: true });
  for (const table of ['journal_line', 'invoice_line_item'])
    await query(
      `with chosen as (select ctid, row_number() over () as n from xero.${table} limit 7)
       update xero.${table} t set description = ($1::text[])[n] from chosen where chosen.ctid = t.ctid`,
      [[...dangerous, awkward]],
    );
});
afterAll(async () => {
  await stand.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each([
  ['general-ledger', 'xero.general_ledger', 'xero.journal_line', 'net_amount', 'created_date_utc'],
  ['invoices', 'xero.invoice_register', 'xero.invoice_line_item', 'line_amount', 'updated_date_utc'],
] as const)('The export of %s', (kind, view, lines, amount, modified) => {
  const columns: [string, string][] = Object.entries(exportColumns[kind]);
  const header = columns.map(([name]) => name).join(',');
  const table = `loaded_${kind.replace('-', '_')}`;
  const file = () => join(folder, `${kind}.csv`);
  const load = async (path: string) => {
    const client = await stand.database.pool.connect();
    const copy = client.query(copyFrom(`copy ${table} from stdin with (format csv, header match)`));
    await pipeline(createReadStream(path), copy).finally(() => client.release());
  };

  test('has the header that the documentation promises, and loads again to the last digit', async () => {
    const said = await exportAll(kind, '--out', file());
    const [stored] = await query(`select count(*)::int as lines, sum(${amount})::text as sum from ${lines}`);
    expect(said).toMatchObject({ code: 0, stdout: '' });
    expect(said.stderr).toBe(`${stored.lines} rows of "${stand.connection}" are in ${file()}.\n`);
    expect(stored.lines).toBeGreaterThan(200);
    const text = readFileSync(file(), 'utf8');
    expect(text.startsWith(`${header}\r\n`) && text.endsWith('\r\n')).toBe(true);
    const docs = readFileSync(resolve(import.meta.dirname, '../../docs/tables.md'), 'utf8');
    expect(docs.replaceAll(',\n', ',')).toContain(`\n${header}\n`);

    const types: Record<string, string> = { instant: 'timestamptz', flag: 'boolean' };
    const made = columns.map(([name, how]) => `${name} ${types[how] ?? 'text'}`);
    await query(`create table ${table} (${made}, unique (line_key))`);
    await load(file());
    expect(await query(`select sum(${amount}::numeric)::text as sum from ${table}`)).toEqual([{ sum: stored.sum }]);
    // As texts: equal to the last zero.
    const back = columns.map(([name, how]) =>
      how === 'text' ? `regexp_replace(${name}, E'^\\'([=+@\\t\\r-])', E'\\\\1') as ${name}` : name,
    );
    const asText = columns.map(([name, how]) => `${name}${types[how] ? '' : '::text'} as ${name}`);
    const differing = await query(
      `with loaded as (select l::text from (select ${back} from ${table}) l), stored as (select s::text from (select ${asText} from ${view}) s)
       (table loaded except all table stored) union all (table stored except all table loaded)`,
    );
    expect(differing.slice(0, 4)).toEqual([]);
  });

  test('disarms what a spreadsheet would run, and leaves amounts alone', async () => {
    const texts = (await query(`select description from ${table}`)).map(({ description }) => description);
    expect(texts).toEqual(expect.arrayContaining([...dangerous.map((text) => `'${text}`), awkward]));
    expect(texts.filter((text) => /^[=+@\t\r-]/.test(text))).toEqual([]);
    expect(await query(`select from ${table} where ${amount} like '''%'`)).toEqual([]);
  });

  test('made again has the same keys, so a second load doubles nothing', async () => {
    const again = `${file()}.again`;
    expect(await exportAll(kind, '--out', again, '--application', application)).toMatchObject({ code: 0 });
    expect(readFileSync(again).equals(readFileSync(file()))).toBe(true);
    await expect(load(again)).rejects.toThrow(/duplicate key/);
  });

  test('takes what was modified on or after a time, and has its header where nothing was', async () => {
    const [{ since, rows }] = await query(
      `select to_char(pivot at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as since,
              (select count(*)::int from ${table} where ${modified} >= pivot) as rows
         from (select percentile_disc(0.6) within group (order by ${modified}) as pivot from ${table}) as p`,
    );
    const [some, none] = await Promise.all([since, '2100-01-01'].map((at) => exportAll(kind, '--modified-since', at)));
    expect(some).toMatchObject({ code: 0, stderr: `${rows} rows of "${stand.connection}" are in standard output.\n` });
    expect(some?.stdout.startsWith(header)).toBe(true);
    expect(none).toMatchObject({ code: 0, stdout: `${header}\r\n` });
  });
});

test('A wrong request is refused with every problem named, and no file is begun; the cash basis is exported apart', async () => {
  const wrong = ['--basis', 'both', '--modified-since', '2026-02-30', '--out', join(folder, 'no', 'such.csv')];
  const [said, nameless, other, cash] = await Promise.all([
    exportAll('general-ledger', '--application', 'stranger', ...wrong),
    exportAll('invoices', '--out', ''),
    daybook(['export', 'invoices', '--connection', 'nowhere'], stand.environment),
    exportAll('general-ledger', '--basis', 'cash'),
  ]);
  expect(said).toMatchObject({ code: 2, stdout: '' });
  for (const problem of [/real date/, /"accrual" or "cash"/, /"stranger" may not use/, /no folder/])
    expect(said.stderr).toMatch(problem);
  expect(nameless).toMatchObject({ code: 2, stderr: expect.stringMatching(/^--out names no file; .*\n$/) });
  expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('no connection "nowhere"') });
  expect(cash).toMatchObject({ code: 0, stderr: expect.stringMatching(/^0 rows/) });
});

describe('Of a hundred thousand lines', () => {
  const out = () => join(folder, 'big.csv');
  const partial = () => readdirSync(folder).find((name) => name.endsWith('.part'));
  beforeAll(async () => {
    await query(
      `with made as (
         insert into xero.journal (tenant_id, basis, journal_id, journal_number, journal_date, created_date_utc, payload, run_id)
         select $1::uuid, 'accrual', gen_random_uuid(), 1000000 + n, '2026-01-01', '2026-01-01', '{}', $1::uuid from generate_series(1, 20000) n
         returning journal_id)
       insert into xero.journal_line (tenant_id, basis, journal_id, line_index, description, net_amount)
       select $1::uuid, 'accrual', journal_id, n, repeat('x', 600), n from made, generate_series(1, 5) n`,
      [stand.organisation.tenantId],
    );
    await query('analyze xero.journal, xero.journal_line');
  });

  test('a slow reader holds Postgres back, and memory stays the same', async () => {
    const pool = openPool(stand.database.url, 1, () => {});
    const filter = { tenantId: stand.organisation.tenantId, basis: 'accrual', modifiedSince: null } as const;
    let goOn: () => void = () => {};
    let bytes = 0;
    let peak = 0;
    const reader = new Writable({
      write(chunk, _, taken) {
        bytes += chunk.length;
        peak = Math.max(peak, process.memoryUsage().rss);
        if (bytes === chunk.length) goOn = taken;
        else taken();
      },
    });
    const before = process.memoryUsage().rss;
    const exported = exportTo(pool, 'general-ledger', filter, reader);
    const held = `select from pg_stat_activity where wait_event = 'ClientWrite' and query like 'copy (%'`;
    await vi.waitFor(async () => expect(await query(held)).toHaveLength(1), { timeout: 30_000 });
    goOn();
    expect(await exported).toBeGreaterThan(100_000);
    console.log(`${bytes} bytes by ${peak - before} more of memory`);
    expect(bytes).toBeGreaterThan(80_000_000);
    expect(peak - before).toBeLessThan(50_000_000);
    await pool.end();
  });

  test.each([
    ['killed', 'SIGKILL', null],
    ['interrupted', 'SIGTERM', 130],
    ['cut off from Postgres', null, 1],
  ] as const)('an export that is %s in the middle leaves the file that was there', async (_, signal, expected) => {
    writeFileSync(out(), 'as before');
    rmSync(join(folder, partial() ?? 'none'), { force: true });
    const args = ['export', 'general-ledger', '--connection', stand.connection, '--out', out()];
    const exporting = runProcess('bin/daybook.mjs', { args, env: stand.environment });
    const begun = () => expect(statSync(join(folder, partial() ?? '')).size).toBeGreaterThan(100_000);
    await vi.waitFor(begun, { timeout: 30_000, interval: 2 });
    if (signal === null)
      await query(
        `select pg_terminate_backend(pid) from pg_stat_activity where query like 'copy (%' and state = 'active'`,
      );
    expect(await (signal === null ? exporting.exited : exporting.end(signal))).toBe(expected);
    expect(readFileSync(out(), 'utf8')).toBe('as before');
    if (signal !== 'SIGKILL') expect(partial()).toBeUndefined();
  });

  test('a reader who has enough ends it quietly', async () => {
    const command = `{ "$0" bin/daybook.mjs export general-ledger --connection ${stand.connection}; echo "exit $?" >&2; } | head -n 1`;
    const said = await new Promise<string[]>((done) => {
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...stand.environment };
      execFile('sh', ['-c', command, process.execPath], { env }, (_, ...streams) => done(streams));
    });
    expect(said).toEqual([`${Object.keys(exportColumns['general-ledger'])}\r\n`, 'exit 0\n']);
  });
});
