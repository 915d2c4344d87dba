import type { metricMeter } from '@temporalio/activity';
import type { WaitReason } from '../model/run.ts';
import type { Stream } from '../model/streams.ts';

/**
 * What the worker counts for whoever watches it; docs/operating.md says what each is good for. Organisations are not told
 * apart: every name would be a time series of its own, and Postgres has them all.
 */
export interface Meters {
  /** A call to Xero has ended: what became of it, and how long it took in milliseconds. */
  called(outcome: string, tookMs: number): void;
  /** A call may not be made yet, because of this limit. */
  heldBack(reason: WaitReason): void;
  /** A page has been committed. */
  stored(stream: Stream, rows: number): void;
}

/** The histogram whose buckets the worker sets. */
export const xeroLatency = 'daybook_xero_latency';

/** Makes each instrument once; without an exporter they do nothing. */
export function createMeters(meter: typeof metricMeter): Meters {
  const calls = meter.createCounter('daybook_xero_calls', undefined, 'Calls to Xero, by what became of them.');
  const latency = meter.createHistogram(xeroLatency, 'float', 'seconds', 'How long Xero took to answer.');
  const waits = meter.createCounter('daybook_waits', undefined, 'Calls that had to wait, by the limit.');
  const pages = meter.createCounter('daybook_pages', undefined, 'Pages committed, by stream.');
  const rows = meter.createCounter('daybook_rows', undefined, 'Journals or invoices in these pages, by stream.');
  return {
    called(outcome, tookMs) {
      calls.add(1, { outcome });
      latency.record(tookMs / 1_000);
    },
    heldBack: (reason) => waits.add(1, { reason }),
    stored(stream, count) {
      pages.add(1, { stream });
      rows.add(count, { stream });
    },
  };
}
