import { noLimits, startBench } from './stand.ts';

export interface UpToDate {
  journalsCalls: number;
  ms: number;
}

export interface Growth {
  journals: number;
  firstPagesASecond: number;
  lastPagesASecond: number;
  lastToFirst: number;
}

/**
 * (f) One tenant that grows: the rate over its last tenth against that over its first. (e) Then the run that finds nothing
 * new: its calls and its time.
 */
export async function growth(journals: number): Promise<{ growth: Growth; upToDate: UpToDate }> {
  const bench = await startBench(['--journals', String(journals), '--contiguous', ...noLimits]);
  try {
    const [connection] = await bench.connectAll();
    const run = async () => {
      const began = performance.now();
      const { workflowId } = await bench.imports.startJournals({ connection, application: 'bench' });
      const ending = await bench.imports.ending(workflowId);
      if (!ending.ok) throw new Error(`The import went wrong: ${JSON.stringify(ending)}`);
      return { ms: Math.round(performance.now() - began), calls: ending.result.totals.calls };
    };
    await run();
    const pages = Math.floor(journals / 100);
    const part = Math.floor(pages / 10);
    const { rows } = await bench.pool.query<{ first: number; last: number }>(
      `with page as (select stored_at, row_number() over (order by after_number) as n from daybook.page_receipt),
       at as (select n, stored_at from page where n in (1, $1, $2, $3))
       select extract(epoch from max(stored_at) filter (where n = $1) - max(stored_at) filter (where n = 1))::float8 as first,
              extract(epoch from max(stored_at) filter (where n = $3) - max(stored_at) filter (where n = $2))::float8 as last
         from at`,
      [part, pages - part + 1, pages],
    );
    const { first = 1, last = 1 } = rows[0] ?? {};
    const upToDate = await run();
    return {
      growth: {
        journals,
        firstPagesASecond: Number(((part - 1) / first).toFixed(1)),
        lastPagesASecond: Number(((part - 1) / last).toFixed(1)),
        lastToFirst: Number((first / last).toFixed(2)),
      },
      upToDate: { journalsCalls: upToDate.calls, ms: upToDate.ms },
    };
  } finally {
    await bench.close();
  }
}
