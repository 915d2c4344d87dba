import { cpu, diff } from './zz-cpu.mts';
import { startBench } from './bench/stand.ts';
import { AccountingApi } from 'xero-node/dist/gen/api/accountingApi.js';
const latency = process.argv[2] ?? '0';
const bench = await startBench(['--latency-ms', latency,'--journals','20000','--invoices','3000','--minute-limit','10000000','--day-limit','10000000','--app-minute-limit','10000000']);
const [connection] = await bench.connectAll();
const tenantId = bench.sandbox.organisations[0]!.tenantId;
const minted = await fetch(`${bench.sandbox.url}/connect/token`, { method:'POST', headers:{authorization:`Basic ${Buffer.from(`daybook-sandbox-custom:${bench.sandbox.clientSecret}`).toString('base64')}`,'content-type':'application/x-www-form-urlencoded'}, body:'grant_type=client_credentials&scope=accounting.journals.read%20accounting.invoices.read%20accounting.transactions.read'});
const tok = await minted.json() as any; 
if (!tok.access_token) console.log(tok);
async function loop() {
  const api = new AccountingApi(`${bench.sandbox.url}/api.xro/2.0`); api.accessToken = tok.access_token;
  const b = performance.now(); let n = 0, calls = 0;
  for (let offset = 0;;) { const { body } = await api.getJournals(tenantId, undefined, offset); calls++; const js = body.journals ?? []; for (const j of js) n += j.journalLines?.length ?? 0; if (!js.length) break; offset = Math.max(...js.map(j=>j.journalNumber ?? 0)); }
  const t1 = performance.now() - b;
  let inv = 0;
  for (let page = 1;; page++) { const { body } = await api.getInvoices(tenantId, undefined, undefined, undefined, undefined, undefined, undefined, undefined, page); calls++; const is = body.invoices ?? []; if (!is.length) break; for (const i of is) { inv++; n += i.lineItems?.length ?? 0; } }
  return [performance.now() - b, t1, calls, inv];
}
for (let r=0;r<8;r++) {
  const c0 = cpu(); const l = (await loop()).map(x=>Math.round(x)); console.log(r, 'loop', l.join(' '), JSON.stringify(diff(c0, cpu())));
  await bench.pool.query('truncate xero.journal, xero.journal_line, xero.journal_line_tracking, xero.invoice, daybook.stream_position');
  await bench.pool.query(`truncate ${(await bench.pool.query(`select string_agg(format('%I.%I', table_schema, table_name), ', ') t from information_schema.tables where table_schema='xero' and table_name like 'invoice%' and table_type='BASE TABLE'`)).rows[0].t}`);
  const c1 = cpu(); const t0 = Date.now(); const b = performance.now();
  const one = await bench.imports.startJournals({ connection: connection!, application: 'bench' });
  const two = await bench.imports.startInvoices({ connection: connection!, application: 'bench' });
  const watch = setInterval(async () => { if (performance.now() - b < 7000) return;
    console.log('STALL', Math.round(performance.now()-b));
    console.log((await bench.pool.query(`select pid, state, wait_event_type, wait_event, now()-state_change since, left(regexp_replace(query, '\s+', ' ', 'g'), 150) q from pg_stat_activity where datname is not null and pid <> pg_backend_pid()`)).rows);
    console.log((await bench.pool.query(`select scope, version, minute_remaining, minute_limit, array_length(minute_counted,1) n, day_remaining, blocked_until, blocked_by, leases, sent, updated_at, now() from daybook.quota_ledger`)).rows);
    console.log((await bench.pool.query(`select workflow_id, stream, status, waiting_until, next_offset, pages, attempt_scheduled_at, now() from daybook.import_run where ended_at is null`)).rows);
    for (const w of [one, two]) { const d = await bench.client.workflow.getHandle(w.workflowId).describe(); console.log(w.workflowId, d.status.name, JSON.stringify(d.raw.pendingActivities), d.historyLength); }
    clearInterval(watch);
  }, 1000);
  const e2 = bench.imports.ending(two.workflowId).then((e: any)=>[Math.round(performance.now()-b), JSON.stringify(e.result?.totals ?? e)]);
  const e1 = await bench.imports.ending(one.workflowId).then((e: any)=>[Math.round(performance.now()-b), JSON.stringify(e.result?.totals ?? e)]);
const c2 = cpu(); clearInterval(watch);
  console.log(r, 'daybook', e1[0], (await e2)[0], l[0]!/Number(e1[0]), JSON.stringify(diff(c1,c2)), bench.worker().peakMb());
}
await bench.close(); process.exit(0);
