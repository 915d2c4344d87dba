import type pg from 'pg';
import { startOf } from '../activities/starting-point.ts';
import {
  budgetOf,
  type CallsToCome,
  countAt,
  invoiceCalls,
  journalCalls,
  type QuotaStanding,
  type Timetable,
  timetableOf,
} from '../model/plan.ts';
import type { ImportKind, ImportRequest } from '../model/request.ts';
import { type Stream, streamOf } from '../model/streams.ts';
import { wanted } from '../model/wanted.ts';
import type { Connection } from '../storage/connections.ts';
import { storedGrowth } from '../storage/growth.ts';
import { quotaStanding } from '../storage/quota.ts';
import { runThatHolds } from '../storage/runs.ts';

/** What a person knows or supposes of the organisation. */
export interface Suppositions {
  /** The newest Journal ID there is, or how many invoices are to come. */
  newest: number | null;
  callsADay: number;
}

/** What an import would cost, from what is known without a call to Xero. */
export interface Plan {
  stream: Stream;
  wanted: string;
  watermark: number;
  /** Offset of the first page: where it goes on with the overlap; null where a call must find it. */
  startsAfter: number | null;
  movesWatermark: boolean;
  /** The newest journal number, or how many invoices are to come. */
  newest: { number: number; from: 'given' | 'estimated' } | null;
  /** The newest Journal ID that was said, where a newer one is stored: what is stored is reckoned with. */
  contradicted: number | null;
  cost: CallsToCome | null;
  quota: QuotaStanding & { reserve: number; callsADay: number };
  /** Whether Xero has named when the day begins again; else the instants are the latest there can be. */
  isNamed: boolean;
  /** When the calls would be made; null where their number is unknown, or the reserve leaves none. */
  course: Timetable | null;
  /** The import that has this stream at the moment. */
  running: { workflowId: string; status: string } | null;
}

export async function makePlan(
  pool: pg.Pool,
  kind: ImportKind,
  request: ImportRequest,
  connection: Connection,
  { newest: given, callsADay }: Suppositions,
  now: number,
): Promise<Plan> {
  const { tenantId } = connection;
  const stream = streamOf(kind, request);
  const [start, quota, growth, running] = await Promise.all([
    startOf(pool, tenantId, stream, request),
    quotaStanding(pool, tenantId),
    storedGrowth(pool, tenantId, stream),
    runThatHolds(pool, tenantId, stream),
  ]);
  const reserve = Math.max(connection.quotaReserve, request.quotaReserve ?? 0);
  const estimated = kind === 'journals' ? countAt(growth, now) : invoicesSince(start.cursor ?? 0);
  const stored = kind === 'journals' ? (growth?.newest.count ?? 0) : 0;
  const contradicted = given !== null && given < stored ? given : null;
  const number = contradicted !== null ? stored : (given ?? estimated);
  const sinceNumber = start.since === null ? null : countAt(growth, start.since);
  const cost = kind === 'journals' ? journalCalls(start, number, sinceNumber) : invoiceCalls(number);
  const budget = budgetOf(quota, callsADay, reserve, now);
  return {
    stream,
    wanted: wanted(stream, request, start.cursor),
    watermark: start.watermark,
    startsAfter: start.cursor,
    movesWatermark: start.movesWatermark,
    newest: number === null ? null : { number, from: given === null ? 'estimated' : 'given' },
    contradicted,
    cost,
    quota: { ...quota, reserve, callsADay },
    isNamed: budget.isNamed,
    course: cost === null ? null : timetableOf(cost.calls, budget, now),
    running: running && start.movesWatermark ? { workflowId: running.workflowId, status: running.status } : null,
  };

  /** How many invoices are expected to have been updated since a second; all of them since 0. */
  function invoicesSince(second: number): number | null {
    const all = countAt(growth, now);
    return all === null || second === 0 ? all : Math.max(0, all - (countAt(growth, second * 1_000) ?? 0));
  }
}
