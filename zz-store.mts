import { startPostgres } from './embedded/postgres.ts';
import { migrate } from './storage/migrate.ts';
import { openPool } from './storage/pool.ts';
import { storePage } from './storage/pages.ts';
import { fetchTexts, bareSql } from './bench/floor.ts';
import { cpu, diff } from './zz-cpu.mts';
import { spawn } from 'node:child_process';
import { mkdtempSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
if (!existsSync('/tmp/texts.json')) {
const sp = spawn(process.execPath, ['--import','tsx','sandbox/main.ts','--port','0','--latency-ms','0','--journals','20000','--minute-limit','10000000','--day-limit','10000000','--app-minute-limit','10000000'],{stdio:['ignore','pipe','inherit']});
const sandbox = JSON.parse(String((await once(createInterface({input: sp.stdout}),'line'))[0]));
const tenantId = sandbox.organisations[0].tenantId;
const minted = await fetch(`${sandbox.url}/connect/token`, { method:'POST', headers:{authorization:`Basic ${Buffer.from(`daybook-sandbox-custom:${sandbox.clientSecret}`).toString('base64')}`,'content-type':'application/x-www-form-urlencoded'}, body:'grant_type=client_credentials&scope=accounting.journals.read'});
writeFileSync('/tmp/texts.json', JSON.stringify(await fetchTexts(sandbox.url, ((await minted.json()) as any).access_token, tenantId)));
sp.kill();
}
const texts: string[] = JSON.parse(readFileSync('/tmp/texts.json','utf8'));
const dataDir = mkdtempSync('/tmp/zz-store-');
const postgres = await startPostgres({ dataDir, onLine: () => {} });
await migrate(postgres.url);
const pool = openPool(postgres.url, 1, () => {});
const bodies = texts.map(t => Buffer.from(t));
const nums = texts.map(t => { const n = JSON.parse(t).Journals.map((j: any)=>j.JournalNumber); return Math.max(...n); });
async function run(label: string, store = storePage as any) {
  await pool.query('truncate xero.journal, xero.journal_line, xero.journal_line_tracking, daybook.stream_position, daybook.import_run cascade');
  const id = randomUUID();
  await pool.query(`with a as (insert into daybook.authorisation (authorisation_id, kind, client_id) values ($1::uuid, 'custom', $1::uuid::text)), c as (insert into daybook.connection (connection_id, name, tenant_id, tenant_name, authorisation_id) values ($1::uuid, 'c' || $1::uuid::text, $1::uuid, 'x', $1::uuid)) select`, [id]);
  await pool.query(`insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream, request, starting_at, moves_watermark, next_offset) values ($1, 'w', $1, 'x', 'a', $1, 'journals', '{}', 0, true, 0)`, [id]);
  const c = cpu(); const b = performance.now(); let after = 0;
  for (let i = 0; i < bodies.length; i++) { const ok = await store(pool, { runId: id, tenantId: id, stream: 'journals', after, askedAfter: after, through: nums[i], body: bodies[i], count: 100 }); if (!ok) throw new Error('no'); after = nums[i]!; }
  const ms = performance.now() - b; const d = diff(c, cpu());
  console.log(label.padEnd(20), 'wall', (ms/bodies.length).toFixed(2), 'pg', (d.pg!/bodies.length).toFixed(2), 'self', (d.self!/bodies.length).toFixed(2));
}
export { pool, postgres, run, bodies, nums, texts, bareSql };
if (process.argv[1]!.endsWith('zz-store.mts')) {
for (let r=0;r<3;r++) await run('storePage');
console.log((await pool.query(`select name, generic_plans, custom_plans from pg_prepared_statements`)).rows);
for (let r=0;r<2;r++) { const b = performance.now(); const c = cpu(); await bareSql(pool, texts, randomUUID()); console.log('bareSql', (performance.now()-b)/200, diff(c, cpu()).pg!/200); }
await pool.query('set synchronous_commit = off');
for (let r=0;r<2;r++) await run('async commit');
await pool.end(); await postgres.stop(); process.exit(0);
}
