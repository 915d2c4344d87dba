import { startBench } from './bench/stand.ts';
import { readFileSync, readdirSync } from 'node:fs';
const bench = await startBench(['--latency-ms', '0','--journals','100','--invoices','10000','--minute-limit','10000000','--day-limit','10000000','--app-minute-limit','10000000']);
const [connection] = await bench.connectAll();
const cpuOf = (pid: number) => { const f = readFileSync(`/proc/${pid}/stat`,'utf8').split(') ')[1]!.split(' '); return (Number(f[11])+Number(f[12]))*10; };
const pgCpu = () => { let t = 0; for (const d of readdirSync('/proc')) if (/^\d+$/.test(d)) try { if (readFileSync(`/proc/${d}/comm`,'utf8').startsWith('postgres')) { const f = readFileSync(`/proc/${d}/stat`,'utf8').split(') ')[1]!.split(' '); t += (Number(f[11])+Number(f[12])+Number(f[13])*0)*10; } } catch {} return t; };
const sbCpu = () => { for (const d of readdirSync('/proc')) if (/^\d+$/.test(d)) try { if (readFileSync(`/proc/${d}/cmdline`,'utf8').includes('sandbox/main.ts')) return cpuOf(Number(d)); } catch {} return 0; };
const tables = (await bench.pool.query(`select string_agg(format('%I.%I', table_schema, table_name), ', ') t from information_schema.tables where table_schema='xero' and table_name like 'invoice%' and table_type='BASE TABLE'`)).rows[0].t;
console.log(tables);
for (let r=0;r<4;r++) {
  await bench.pool.query(`truncate ${tables}; truncate daybook.stream_position`);
  const b = performance.now(), p = pgCpu(), w = bench.worker().cpuMs(), s = sbCpu();
  const two = await bench.imports.startInvoices({ connection: connection!, application: 'bench', full: true } as any);
  const e: any = await bench.imports.ending(two.workflowId);
  console.log(JSON.stringify(e.result?.totals ?? e), 'ms', Math.round(performance.now()-b), 'pg', pgCpu()-p, 'worker', bench.worker().cpuMs()-w, 'sandbox', sbCpu()-s, 'peak', bench.worker().peakMb());
}
console.log((await bench.pool.query(`select n, (select count(*) from xero.invoice) i, pg_total_relation_size(n::regclass) total, pg_relation_size(n::regclass) heap, pg_indexes_size(n::regclass) idx from unnest(string_to_array('${tables}', ', ')) n`)).rows);
console.log((await bench.pool.query(`select avg(length(payload::text)), avg(pg_column_size(payload)), max(length(payload::text)) from xero.invoice`)).rows);
await bench.close(); process.exit(0);
