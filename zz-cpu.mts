import { readFileSync, readdirSync } from 'node:fs';
export function cpu() {
  const t: Record<string, number> = {};
  for (const d of readdirSync('/proc')) if (/^\d+$/.test(d)) try {
    const comm = readFileSync(`/proc/${d}/comm`,'utf8').trim(); const cmd = readFileSync(`/proc/${d}/cmdline`,'utf8');
    const f = readFileSync(`/proc/${d}/stat`,'utf8').split(') ')[1]!.split(' '); const ms = (Number(f[11])+Number(f[12]))*10;
    const name = comm.startsWith('postgres') ? (cmd.includes('checkpointer')||cmd.includes('writer')||cmd.includes('autovacuum') ? 'pgbg' : 'pg') : cmd.includes('sandbox/main') ? 'sandbox' : cmd.includes('daybook.mjs') ? 'worker' : comm.startsWith('temporal') ? 'temporal' : Number(d) === process.pid ? 'self' : 'rest';
    t[name] = (t[name] ?? 0) + ms;
  } catch {}
  const s = readFileSync('/proc/stat','utf8').split('\n')[0]!.split(/\s+/).slice(1).map(Number); t.idle = s[3]!*10; t.iowait = s[4]!*10; t.steal = s[7]!*10;
  return t;
}
export const diff = (a: Record<string, number>, b: Record<string, number>) => Object.fromEntries(Object.keys(b).map(k => [k, b[k]! - (a[k] ?? 0)]));
