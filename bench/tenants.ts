import { noLimits, startBench } from './stand.ts';

export interface Tenants {
  tenants: number;
  pages: number;
  /** From the begin of the first run to the end of the last, with the reference data of each. */
  pagesASecond: number;
  /** Pages a second of the slowest run, from its own begin to its end, as a share of the mean: 1 is perfectly fair. */
  slowestToMean: number;
  peakMb: number;
  postgresBytesAPage: number;
  historyBytesAPage: number;
}

/** (c) Many tenants on one worker, each with as many pages, limits off: what the crowd costs, and whether all get their share. */
export async function tenants(count: number, pagesEach: number): Promise<Tenants> {
  const bench = await startBench(
    [...['--organisations', String(count), '--journals', String(pagesEach * 100), '--contiguous'], ...noLimits],
    { worker: 'later' },
  );
  try {
    const connections = await bench.connectAll();
    // All are due at once, as Schedules have it; those started first would have the worker to themselves for a while.
    const started = await bench.startAll(connections);
    bench.startWorker();
    let historyBytes = 0;
    for (const { workflowId } of started) {
      const ending = await bench.imports.ending(workflowId);
      if (!ending.ok) throw new Error(`The import ${workflowId} went wrong: ${JSON.stringify(ending)}`);
      const { raw } = await bench.client.workflow.getHandle(workflowId).describe();
      historyBytes += Number(raw.workflowExecutionInfo?.historySizeBytes ?? 0);
    }
    const { rows } = await bench.pool.query<{ pages: number; seconds: number; slowest: number }>(`
      with each as (
        select pages, started_at, ended_at, pages / extract(epoch from ended_at - started_at)::float8 as rate from daybook.import_run
      )
      select sum(pages) as pages, extract(epoch from max(ended_at) - min(started_at))::float8 as seconds, min(rate) / avg(rate) as slowest
        from each`);
    const size = await bench.pool.query<{ bytes: number }>(`
      select sum(pg_total_relation_size(oid))::bigint as bytes from pg_class
       where relkind = 'r' and relnamespace in ('xero'::regnamespace, 'daybook'::regnamespace)`);
    const { pages = 0, seconds = 1, slowest = 0 } = rows[0] ?? {};
    return {
      tenants: count,
      pages,
      pagesASecond: Number((pages / seconds).toFixed(1)),
      slowestToMean: Number(slowest.toFixed(2)),
      peakMb: bench.worker().peakMb(),
      postgresBytesAPage: Math.round((size.rows[0]?.bytes ?? 0) / pages),
      historyBytesAPage: Math.round(historyBytes / pages),
    };
  } finally {
    await bench.close();
  }
}
