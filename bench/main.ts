import { growth } from './growth.ts';
import { mix } from './mix.ts';
import { pace } from './pace.ts';
import { plot, report } from './report.ts';
import { suspended } from './suspended.ts';
import { tenants } from './tenants.ts';
import { throughput } from './throughput.ts';
import { views } from './views.ts';

// `npm run bench`: ratios within one run, as the machine's speed is nobody's merit. `npm run bench -- a c` runs parts only;
// `--full` lets the tenant of part f grow to a million journals. What the numbers mean: docs/performance.md.

const parts: Record<string, (full: boolean) => Promise<void>> = {
  async a() {
    const rows = [];
    for (const latencyMs of [0, 5, 20, 50]) rows.push(await throughput(20_000, latencyMs));
    report('a', rows);
  },
  async b() {
    const paces = await Promise.all([200, 1_000, 2_000, 4_000].map(pace));
    report('b', paces);
    const bars = paces.map(({ latencyMs, callsAMinute }) => ({
      label: `${latencyMs / 1_000} s an answer`,
      value: Math.round(callsAMinute),
    }));
    plot('pace.svg', 'Calls a minute of one tenant; Xero allows 60', bars, 60);
  },
  async c() {
    const rows = [];
    for (const count of [1, 10, 100, 1_000]) {
      // A few take some seconds only, which one measurement tells little of: the middle of three.
      const each = [];
      for (let round = 0; round < (count <= 10 ? 3 : 1); round++) each.push(await tenants(count, 20));
      const middle = each.toSorted((a, b) => a.pagesASecond - b.pagesASecond)[Math.floor(each.length / 2)];
      if (middle) rows.push(middle);
    }
    report('c', rows);
    const bars = rows.map((row) => ({ label: `${row.tenants} tenants`, value: row.pagesASecond }));
    plot('tenants.svg', 'Pages a second of one worker', bars, rows[1]?.pagesASecond ?? 0);
  },
  async d() {
    report('d', [await suspended(1_000)]);
  },
  async e() {
    report('e', [(await growth(2_000)).upToDate]);
  },
  async f(full) {
    const rows = [];
    for (const journals of full ? [10_000, 100_000, 1_000_000] : [10_000, 100_000])
      rows.push((await growth(journals)).growth);
    report('f', rows);
  },
  async g() {
    report('g', await views(100_000));
  },
  async h() {
    report('h', [await mix(20_000, 3_000)]);
  },
};

const asked = process.argv.slice(2);
const chosen = asked.filter((word) => word !== '--full');
const unknown = chosen.filter((part) => !(part in parts));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}, and --full.`);
  process.exit(2);
}
const failed: string[] = [];
for (const part of chosen.length > 0 ? chosen : Object.keys(parts)) {
  // One part that cannot be measured here is no reason to lose the others.
  await parts[part]?.(asked.includes('--full')).catch((error: Error) => {
    failed.push(part);
    console.error(`(${part}) could not be measured: ${error.stack}`);
  });
}
process.exitCode = failed.length > 0 ? 1 : 0;
