import { bareXeroNode, bareXeroNodeInvoices, bareXeroNodeProgram } from './floor.ts';
import { manyRounds, middle, middleRatio } from './report.ts';
import { mint, noLimits, startBench } from './stand.ts';

export interface Mix {
  journals: number;
  invoices: number;
  /** One call after the other, nothing stored: the journals, then the invoices. */
  bareXeroNodeMs: number;
  /** The same as a program of its own, from its start to its end. */
  itsProgramMs: number;
  /** Both imports at the same time. */
  daybookMs: number;
  bareXeroNodeToDaybook: string;
  itsProgramToDaybook: string;
  /** The invoices alone, one call after the other, and their import alone. */
  bareInvoicesMs: number;
  daybookInvoicesMs: number;
  peakMb: number;
}

const books = `xero.journal, xero.journal_line, xero.journal_line_tracking, xero.invoice, xero.invoice_line_item,
  xero.invoice_line_item_tracking, xero.invoice_settlement, daybook.stream_position`;

/** (h) Journals and invoices of one organisation, limits off, answers without delay. */
export async function mix(journals: number, invoices: number): Promise<Mix> {
  const bench = await startBench(['--journals', String(journals), '--invoices', String(invoices), ...noLimits]);
  try {
    const [connection] = await bench.connectAll();
    const tenantId = bench.sandbox.organisations[0]?.tenantId ?? '';
    const request = { connection, application: 'bench' };
    const stored = async (workflowId: string) => {
      const ending = await bench.imports.ending(workflowId);
      if (!ending.ok) throw new Error(`The import went wrong: ${JSON.stringify(ending)}`);
      return ending.result.totals.stored;
    };
    const accessToken = await mint(bench.sandbox, 'accounting.journals.read accounting.invoices.read');
    const { url } = bench.sandbox;
    const runs: Record<'node' | 'nodeInvoices' | 'program' | 'daybook' | 'daybookInvoices', number[]> = {
      ...{ node: [], nodeInvoices: [], program: [] },
      ...{ daybook: [], daybookInvoices: [] },
    };
    for (let round = 0; round < manyRounds; round++) {
      await bench.atRest();
      const ofInvoices = await bareXeroNodeInvoices(url, accessToken, tenantId);
      runs.nodeInvoices.push(ofInvoices);
      runs.node.push(ofInvoices + (await bareXeroNode(url, accessToken, tenantId)));
      runs.program.push(await bareXeroNodeProgram(url, accessToken, tenantId, true));

      await bench.pool.query(`truncate ${books}`);
      await bench.atRest();
      let began = performance.now();
      let count = await stored((await bench.imports.startInvoices(request)).workflowId);
      runs.daybookInvoices.push(performance.now() - began);
      if (count !== invoices) throw new Error(`${count} invoices were stored.`);

      await bench.pool.query(`truncate ${books}`);
      await bench.atRest();
      began = performance.now();
      const started = [await bench.imports.startJournals(request), await bench.imports.startInvoices(request)];
      count = 0;
      for (const { workflowId } of started) count += await stored(workflowId);
      runs.daybook.push(performance.now() - began);
      if (count !== journals + invoices) throw new Error(`${count} journals and invoices were stored.`);
    }
    return {
      ...{ journals, invoices },
      bareXeroNodeMs: middle(runs.node),
      itsProgramMs: middle(runs.program),
      daybookMs: middle(runs.daybook),
      bareXeroNodeToDaybook: middleRatio(runs.node, runs.daybook),
      itsProgramToDaybook: middleRatio(runs.program, runs.daybook),
      bareInvoicesMs: middle(runs.nodeInvoices),
      daybookInvoicesMs: middle(runs.daybookInvoices),
      peakMb: bench.worker().peakMb(),
    };
  } finally {
    await bench.close();
  }
}
