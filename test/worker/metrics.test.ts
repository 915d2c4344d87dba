import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { untilProgress } from '../support/observe.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

describe('A worker shows Prometheus what it does', () => {
  let stand: Stand;
  let worker: TestProcess;
  let address: string;
  beforeAll(async () => {
    stand = await startStand({
      sandbox: { journals: 2_000, limits: { day: 12, dayWindowSeconds: 10, minute: 10_000 } },
      worker: false,
    });
    address = `127.0.0.1:${await freePort()}`;
    worker = runProcess('bin/daybook.mjs', {
      args: ['worker'],
      env: { ...stand.environment, DAYBOOK_METRICS_ADDRESS: address },
    });
  });
  afterAll(async () => {
    await worker.end('SIGTERM');
    await stand.close();
  });

  const scrape = async () => (await fetch(`http://${address}/metrics`)).text();
  /** The sum of a metric's series that have these labels; null when there is none. */
  function sumOf(metrics: string, name: string, labels: Record<string, string> = {}): number | null {
    const series = metrics.split('\n').filter((line) => {
      const [, named, labelled = ''] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? [];
      return named === name && Object.entries(labels).every(([key, value]) => labelled.includes(`${key}="${value}"`));
    });
    return series.length === 0 ? null : series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  test('calls by outcome and how long they took, pages and rows, waits; beside Temporal’s own', async () => {
    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
    const { totals } = await untilProgress(stand, workflowId, ({ status }) => status === 'waiting');
    expect(totals.pages).toBeLessThan(20);
    stand.sandbox.faults.add({ match: { path: 'Journals', times: 1 }, do: { kind: 'answer', status: 503 } });
    const ending = await stand.imports.ending(workflowId);
    expect(ending).toMatchObject({ ok: true, result: { totals: { pages: 20, stored: 2_000 } } });

    const metrics = await scrape();
    const calls = stand.sandbox.calls.all().filter(({ path }) => path.startsWith('/api.xro/'));
    const answered = calls.filter(({ status }) => status === 200).length;
    expect(sumOf(metrics, 'daybook_xero_calls_total', { outcome: 'answered' })).toBe(answered);
    expect(sumOf(metrics, 'daybook_xero_calls_total', { outcome: 'unavailable' })).toBe(1);
    expect(sumOf(metrics, 'daybook_xero_calls_total')).toBe(calls.length);
    expect(sumOf(metrics, 'daybook_xero_latency_seconds_count')).toBe(calls.length);
    expect(sumOf(metrics, 'daybook_xero_latency_seconds_bucket', { le: '45' })).toBe(calls.length);
    expect(sumOf(metrics, 'daybook_pages_total', { stream: 'journals' })).toBe(20);
    expect(sumOf(metrics, 'daybook_rows_total', { stream: 'journals' })).toBe(2_000);
    expect(sumOf(metrics, 'daybook_waits_total', { reason: 'day' })).toBeGreaterThanOrEqual(1);
    for (const own of ['execution', 'schedule_to_start']) {
      expect(sumOf(metrics, `temporal_activity_${own}_latency_seconds_count`)).toBeGreaterThan(1);
    }
    for (const kept of [stand.organisation.tenantId, stand.organisation.name, stand.connection, application]) {
      expect(metrics).not.toContain(kept);
    }
  }, 120_000);

  test('of invoices only pages that were committed', async () => {
    stand.sandbox.faults.clear();
    expect(await stand.importInvoices()).toMatchObject({ ok: true });
    // Its one page is empty and the end: nothing is committed.
    expect(await stand.importInvoices({ modifiedSince: '2100-01-01' })).toMatchObject({ ok: true });
    const { rows } = await stand.database.pool.query<{ pages: number; invoices: number }>(
      `select count(*)::int as pages, sum(journals)::int as invoices
         from daybook.page_receipt join daybook.import_run using (run_id) where stream = 'invoices'`,
    );
    const metrics = await scrape();
    expect(rows[0]?.invoices).toBeGreaterThan(0);
    expect(sumOf(metrics, 'daybook_pages_total', { stream: 'invoices' })).toBe(rows[0]?.pages);
    expect(sumOf(metrics, 'daybook_rows_total', { stream: 'invoices' })).toBe(rows[0]?.invoices);
  }, 60_000);

  test('an address that is taken is named, with exit code 2; the worker that has it goes on', async () => {
    const env = { ...stand.environment, DAYBOOK_METRICS_ADDRESS: address };
    const second = runProcess('bin/daybook.mjs', { args: ['worker'], env });
    expect(await second.exited).toBe(2);
    expect(second.output()).toMatch(/^DAYBOOK_METRICS_ADDRESS is 127\.0\.0\.1:\d+, where .* port of its own\.\n$/);
    expect(await scrape()).toContain('daybook_pages_total');
  }, 60_000);
});
