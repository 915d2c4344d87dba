import { startBench } from './bench/stand.ts';
import { bareXeroNode } from './bench/floor.ts';
import { cpu, diff } from './zz-cpu.mts';
const latency = process.argv[2] ?? '0'; const rounds = Number(process.argv[3] ?? 5);
const bench = await startBench(['--latency-ms', latency,'--journals','20000','--minute-limit','10000000','--day-limit','10000000','--app-minute-limit','10000000']);
const [connection] = await bench.connectAll();
const tenantId = bench.sandbox.organisations[0]!.tenantId;
const minted = await fetch(`${bench.sandbox.url}/connect/token`, { method:'POST', headers:{authorization:`Basic ${Buffer.from(`daybook-sandbox-custom:${bench.sandbox.clientSecret}`).toString('base64')}`,'content-type':'application/x-www-form-urlencoded'}, body:'grant_type=client_credentials&scope=accounting.journals.read'});
const tok = await minted.json() as any; const L: number[] = [], D: number[] = [];
for (let r=0;r<rounds;r++) {
  const l = await bareXeroNode(bench.sandbox.url, tok.access_token, tenantId);
  await bench.pool.query('truncate xero.journal, xero.journal_line, xero.journal_line_tracking, daybook.stream_position');
  const c = cpu(); const t0 = Date.now(); const b = performance.now();
  const one = await bench.imports.startJournals({ connection: connection!, application: 'bench' });
  const e: any = await bench.imports.ending(one.workflowId);
  const d = performance.now()-b; const c2 = cpu();
  const t = (await bench.pool.query(`select min(extract(epoch from p.stored_at)*1000-$1)::int first, max(extract(epoch from p.stored_at)*1000-$1)::int last, min(extract(epoch from r.started_at)*1000-$1)::int started, min(extract(epoch from r.ended_at)*1000-$1)::int ended from daybook.import_run r join daybook.page_receipt p using (run_id) where r.started_at > to_timestamp($1/1000.0) - interval '1 s'`, [t0])).rows[0];
  if (r>0) { L.push(l); D.push(d); }
  console.log(r, 'loop', Math.round(l), 'daybook', Math.round(d), (l/d).toFixed(2), JSON.stringify(t), JSON.stringify(diff(c,c2)), e.result?.totals?.stored, bench.worker().peakMb());
}
const mid = (v: number[]) => v.toSorted((a,b)=>a-b)[v.length>>1]!;
console.log('MID', Math.round(mid(L)), Math.round(mid(D)), (mid(L)/mid(D)).toFixed(2));
await bench.close(); process.exit(0);
