import { throughput } from './throughput.ts';

const a = await throughput(20_000);
console.log(
  a,
  `floor/daybook ${(a.bareSqlMs / a.daybookMs).toFixed(2)}`,
  `node/daybook ${(a.bareXeroNodeMs / a.daybookMs).toFixed(2)}`,
);
