import { setTimeout as sleep } from 'node:timers/promises';
import { startBench } from './stand.ts';

export interface Suspended {
  imports: number;
  /** Processor time while all sleep, as a share of one core. */
  workerAtRest: string;
  temporalAtRest: string;
  /** From the earliest instant at which one was to wake (spread included) to the latest. */
  wakingSpreadSeconds: number;
  /** How long after its instant the last one had stored its page. */
  latestSecondsLate: number;
}

const restSeconds = 60;

/** (d) Imports that all sleep until their tenants' day begins again: what they cost meanwhile, and how they wake. */
export async function suspended(count: number): Promise<Suspended> {
  const windowSeconds = Math.max(120, Math.ceil(count / 2));
  const bench = await startBench([
    ...['--organisations', String(count), '--journals', '300', '--contiguous', '--app-minute-limit', '10000000'],
    ...['--day-limit', '1', '--day-window-seconds', String(windowSeconds)],
  ]);
  try {
    await bench.startAll(await bench.connectAll());
    const waiting = async () =>
      (await bench.pool.query<{ n: number }>(`select count(*) as n from daybook.import_run where status = 'waiting'`))
        .rows[0]?.n ?? 0;
    while ((await waiting()) < count) await sleep(250);
    await sleep(3_000);
    const { rows } = await bench.pool
      .query<{ from: Date; to: Date }>(
        `create table bench_wake as select run_id, waiting_until from daybook.import_run;
       select min(waiting_until) as from, max(waiting_until) as to from bench_wake`,
      )
      .then((results) => (results as unknown as { rows: { from: Date; to: Date }[] }[])[1] ?? { rows: [] });
    const { from = new Date(), to = new Date() } = rows[0] ?? {};
    const rest = Math.min(restSeconds, (from.getTime() - Date.now()) / 1_000 - 2);
    if (rest < 10) throw new Error('The first import wakes before all are asleep; this machine needs a longer window.');
    const before = [bench.worker().cpuMs(), bench.temporal.cpuMs()];
    await sleep(rest * 1_000);
    const share = (after: number, was = 0) => `${((after - was) / rest / 10).toFixed(1)} %`;
    const atRest = [share(bench.worker().cpuMs(), before[0]), share(bench.temporal.cpuMs(), before[1])];
    await sleep(Math.max(0, to.getTime() - Date.now()));
    for (;;) {
      const awake = await bench.pool.query<{ n: number; late: number }>(
        `select count(*) as n, max(extract(epoch from p.stored_at - w.waiting_until))::float8 as late
           from bench_wake w join daybook.page_receipt p on p.run_id = w.run_id and p.after_number = 100`,
      );
      const { n = 0, late = 0 } = awake.rows[0] ?? {};
      if (n >= count) {
        return {
          imports: count,
          workerAtRest: atRest[0] ?? '',
          temporalAtRest: atRest[1] ?? '',
          wakingSpreadSeconds: Math.round((to.getTime() - from.getTime()) / 1_000),
          latestSecondsLate: Number(late.toFixed(1)),
        };
      }
      await sleep(250);
    }
  } finally {
    await bench.close();
  }
}
