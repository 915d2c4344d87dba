import { pace } from './pace.ts';
import { throughput } from './throughput.ts';

// `npm run bench`: ratios within one run, as the machine's speed is nobody's merit. What they mean: docs/performance.md.

const a = await throughput(20_000);
console.log('\n(a) 20,000 journals, limits off, no latency');
console.table({
  'bare SQL, the same pages': { ms: a.bareSqlMs, 'as a share of Daybook': (a.bareSqlMs / a.daybookMs).toFixed(2) },
  'bare xero-node, stores nothing': {
    ms: a.bareXeroNodeMs,
    'as a share of Daybook': (a.bareXeroNodeMs / a.daybookMs).toFixed(2),
  },
  Daybook: { ms: a.daybookMs, 'as a share of Daybook': '1.00' },
});
console.log(`worker: ${a.peakMb} MB at its peak, ${a.cpuMsPerPage.toFixed(1)} ms of processor time a page`);

console.log("\n(b) one tenant at Xero's own limits, three minutes each");
console.table(await Promise.all([200, 1_000, 2_000, 4_000].map(pace)));
