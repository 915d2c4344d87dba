import { bareSql, bareXeroNode, fetchTexts } from './floor.ts';
import { startBench } from './stand.ts';

export interface Throughput {
  journals: number;
  daybookMs: number;
  bareSqlMs: number;
  bareXeroNodeMs: number;
  peakMb: number;
  cpuMsPerPage: number;
}

/** (a) Limits off, no latency: Daybook against the same pages stored by bare SQL, and a bare loop that stores nothing. */
export async function throughput(journals: number): Promise<Throughput> {
  const bench = await startBench([
    '--journals',
    String(journals),
    '--minute-limit',
    '10000000',
    '--day-limit',
    '10000000',
    '--app-minute-limit',
    '10000000',
  ]);
  try {
    const [connection] = await bench.connectAll();
    const tenantId = bench.sandbox.organisations[0]?.tenantId ?? '';
    const minted = await fetch(`${bench.sandbox.url}/connect/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`daybook-sandbox-custom:${bench.sandbox.clientSecret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials&scope=accounting.journals.read',
    });
    const { access_token: accessToken } = (await minted.json()) as { access_token: string };
    const texts = await fetchTexts(bench.sandbox.url, accessToken, tenantId);
    // The middle of three, taken in turns, so that what else the machine does meets them all.
    const runs: Record<'sql' | 'node' | 'daybook', number[]> = { sql: [], node: [], daybook: [] };
    const cpuBefore = bench.worker().cpuMs();
    for (let round = 0; round < 3; round++) {
      runs.sql.push(await bareSql(bench.pool, texts, tenantId));
      runs.node.push(await bareXeroNode(bench.sandbox.url, accessToken, tenantId));
      await bench.pool.query(
        'truncate xero.journal, xero.journal_line, xero.journal_line_tracking, daybook.stream_position',
      );
      const began = performance.now();
      const { workflowId } = await bench.imports.startJournals({ connection, application: 'bench' });
      const ending = await bench.imports.ending(workflowId);
      runs.daybook.push(performance.now() - began);
      if (!ending.ok || ending.result.totals.stored !== journals)
        throw new Error(`The import went wrong: ${JSON.stringify(ending)}`);
    }
    const middle = (values: number[]) => Math.round(values.toSorted((a, b) => a - b)[1] ?? 0);
    return {
      journals,
      daybookMs: middle(runs.daybook),
      bareSqlMs: middle(runs.sql),
      bareXeroNodeMs: middle(runs.node),
      peakMb: bench.worker().peakMb(),
      cpuMsPerPage: (bench.worker().cpuMs() - cpuBefore) / 3 / texts.length,
    };
  } finally {
    await bench.close();
  }
}
