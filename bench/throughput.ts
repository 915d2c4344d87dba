import { bareSql, bareXeroNode, bareXeroNodeProgram, fetchTexts } from './floor.ts';
import { manyRounds, middle, middleRatio } from './report.ts';
import { mint, noLimits, startBench } from './stand.ts';

export interface Throughput {
  latencyMs: number;
  /** The same pages, one statement each, into the same tables. */
  bareSqlMs: number;
  /** One call after the other, nothing stored. */
  bareXeroNodeMs: number;
  /** The same loop as a program of its own, from its start to its end; without latency only. */
  itsProgramMs: number | '';
  /** Through Temporal, with receipts, cursor and quota ledger. */
  daybookMs: number;
  bareSqlToDaybook: string;
  bareXeroNodeToDaybook: string;
  itsProgramToDaybook: string;
  calls: number;
  peakMb: number;
  workerMsAPage: string;
}

/** (a) Limits off: Daybook against the same pages stored by bare SQL, and a bare loop that stores nothing. */
export async function throughput(journals: number, latencyMs: number): Promise<Throughput> {
  const bench = await startBench([...['--latency-ms', String(latencyMs), '--journals', String(journals)], ...noLimits]);
  try {
    const [connection] = await bench.connectAll();
    const tenantId = bench.sandbox.organisations[0]?.tenantId ?? '';
    const accessToken = await mint(bench.sandbox, 'accounting.journals.read');
    const texts = await fetchTexts(bench.sandbox.url, accessToken, tenantId);
    // Taken in turns, so that what else the machine does meets them all.
    const runs: Record<'sql' | 'node' | 'program' | 'daybook', number[]> = {
      sql: [],
      node: [],
      program: [],
      daybook: [],
    };
    let calls = 0;
    const rounds = latencyMs === 0 ? manyRounds : 5;
    const cpuBefore = bench.worker().cpuMs();
    for (let round = 0; round < rounds; round++) {
      await bench.atRest();
      runs.sql.push(await bareSql(bench.pool, texts, tenantId));
      runs.node.push(await bareXeroNode(bench.sandbox.url, accessToken, tenantId));
      if (latencyMs === 0) runs.program.push(await bareXeroNodeProgram(bench.sandbox.url, accessToken, tenantId));
      await bench.pool.query(
        'truncate xero.journal, xero.journal_line, xero.journal_line_tracking, daybook.stream_position',
      );
      await bench.atRest();
      const began = performance.now();
      const { workflowId } = await bench.imports.startJournals({ connection, application: 'bench' });
      const ending = await bench.imports.ending(workflowId);
      runs.daybook.push(performance.now() - began);
      if (!ending.ok || ending.result.totals.stored !== journals)
        throw new Error(`The import went wrong: ${JSON.stringify(ending)}`);
      calls = ending.result.totals.calls;
    }
    return {
      latencyMs,
      bareSqlMs: middle(runs.sql),
      bareXeroNodeMs: middle(runs.node),
      itsProgramMs: latencyMs === 0 ? middle(runs.program) : '',
      daybookMs: middle(runs.daybook),
      bareSqlToDaybook: middleRatio(runs.sql, runs.daybook),
      bareXeroNodeToDaybook: middleRatio(runs.node, runs.daybook),
      itsProgramToDaybook: latencyMs === 0 ? middleRatio(runs.program, runs.daybook) : '',
      calls,
      peakMb: bench.worker().peakMb(),
      workerMsAPage: ((bench.worker().cpuMs() - cpuBefore) / rounds / texts.length).toFixed(1),
    };
  } finally {
    await bench.close();
  }
}
