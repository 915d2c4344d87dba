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




const bodies = texts.map(t => Buffer.from(t));
const nums = texts.map(t => { const n = JSON.parse(t).Journals.map((j: any)=>j.JournalNumber); return Math.max(...n); });
async function run(P: any, label: string, store = storePage as any) {
  await P.pool.query('truncate xero.journal, xero.journal_line, xero.journal_line_tracking, daybook.stream_position, daybook.import_run cascade');
  const id = randomUUID();
  await P.pool.query(`with a as (insert into daybook.authorisation (authorisation_id, kind, client_id) values ($1::uuid, 'custom', $1::uuid::text)), c as (insert into daybook.connection (connection_id, name, tenant_id, tenant_name, authorisation_id) values ($1::uuid, 'c' || $1::uuid::text, $1::uuid, 'x', $1::uuid)) select`, [id]);
  await P.pool.query(`insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream, request, starting_at, moves_watermark, next_offset) values ($1, 'w', $1, 'x', 'a', $1, 'journals', '{}', 0, true, 0)`, [id]);
  const c = cpu(); const b = performance.now(); let after = 0;
  for (let i = 0; i < bodies.length; i++) { const ok = await store(P.pool, { runId: id, tenantId: id, stream: 'journals', after, askedAfter: after, through: nums[i], body: bodies[i], count: 100 }); if (!ok) throw new Error('no'); after = nums[i]!; }
  const ms = performance.now() - b; const d = diff(c, cpu());
  console.log(label.padEnd(20), 'wall', (ms/bodies.length).toFixed(2), 'pg', (d.pg!/bodies.length).toFixed(2), 'self', (d.self!/bodies.length).toFixed(2));
}

const make = async (env: any, set: any) => { process.env.ZZENV = JSON.stringify(env); process.env.ZZSET = JSON.stringify(set); const pg = await startPostgres({ dataDir: mkdtempSync('/tmp/zz-ab-'), onLine: () => {} }); await migrate(pg.url); return { pg, pool: openPool(pg.url, 1, () => {}) }; };
const variants: any = JSON.parse(process.argv[2]!);
const made: any = {}; for (const k of Object.keys(variants)) made[k] = await make(variants[k].env ?? {}, variants[k].set ?? {});
const old = console.log; const res: any = {};
for (let r=0;r<Number(process.argv[3] ?? 5);r++) for (const k of Object.keys(made)) { let line=''; console.log = (...a: any[]) => { line = a.join(' '); }; await run(made[k], k); console.log = old; const m = /wall ([\d.]+) pg ([\d.]+)/.exec(line)!; (res[k] ??= []).push([+m[1]!, +m[2]!]); }
for (const k of Object.keys(res)) { const md = (i: number) => res[k].map((x: any)=>x[i]).sort((a: number,b: number)=>a-b)[res[k].length>>1]; console.log(k.padEnd(12), 'wall', md(0), 'pg', md(1), '  all pg', res[k].map((x: any)=>x[1].toFixed(1)).join(' ')); }
for (const k of Object.keys(made)) { await made[k].pool.end(); await made[k].pg.stop(); } process.exit(0);
