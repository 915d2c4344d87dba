import { overlap } from '../model/cursor.ts';
import type { ReconcileOutcome } from '../model/reconciliation.ts';
import type { Basis } from '../model/request.ts';
import type { FailureName } from '../model/run.ts';
import { streamOf } from '../model/streams.ts';
import type { Report } from '../storage/compare-ledger.ts';
import { findConnection } from '../storage/connections.ts';
import type { Asker } from '../storage/quota.ts';
import { newestNotStored } from '../storage/reconciliation.ts';
import { unbrokenUpTo } from '../storage/unbroken.ts';
import type { Answered } from '../xero/api.ts';
import { askSurely } from './ask-surely.ts';
import { type Caller, type CallOutcome, callXero } from './call-xero.ts';
import type { Dependencies } from './index.ts';
import { waitOf } from './slice-outcomes.ts';
import { startOf } from './starting-point.ts';

/** Who asks Xero for the sake of which reconciliation. */
export interface Inquiry {
  caller: Caller & Asker;
  /** Of the workflow, so that its wait ends at an instant of its own. */
  runId: string;
  basis: Basis;
}

type Halt = Exclude<ReconcileOutcome, { kind: 'reconciled' }>;

/** What was learnt, or why nothing could be. */
export type Learnt<T> = { known: T } | { halt: Halt };

/** So many pages are looked through for journals that are not stored. */
const pagesOfNews = 5;

/** The calls to Xero that a reconciliation needs. */
export function createReconcileCalls(dependencies: Dependencies) {
  const { pool, xero, now } = dependencies;
  return { reportAsAt, news };

  async function reportAsAt(inquiry: Inquiry, date: string): Promise<Learnt<Report>> {
    const outcome = await callXero(dependencies, inquiry.caller, 'trialBalance', (call) =>
      xero.trialBalance({ ...call, date, paymentsOnly: inquiry.basis === 'cash' }),
    );
    return outcome.kind === 'answered' ? { known: { date, rows: outcome.answer.rows } } : halt(inquiry, outcome);
  }

  /**
   * The newest journal that is not stored and could be, from where the next import would begin and as far as a few pages go; null
   * when there is none, or none may be read.
   */
  async function news(inquiry: Inquiry): Promise<Learnt<number | null>> {
    const { caller, basis } = inquiry;
    const { tenantId } = caller;
    const next = { connection: caller.connectionName, application: caller.application };
    const stream = streamOf('journals', { basis });
    const start = await startOf(pool, tenantId, stream, next);
    let offset = start.cursor ?? 0;
    let newest: number | null = null;
    for (let pages = 0; pages < pagesOfNews; pages++) {
      const from = offset;
      const outcome = await askSurely(from, (asked) =>
        callXero(dependencies, caller, 'journals', (call) =>
          xero.journals({ ...call, offset: asked, paymentsOnly: basis === 'cash' }),
        ),
      );
      if (outcome.kind === 'notEntitled' || outcome.kind === 'refused') break;
      if (outcome.kind !== 'answered') return halt(inquiry, outcome);
      const { numbers, lastNumber } = outcome.answer;
      if (lastNumber === null && pages === 0 && offset < start.watermark) {
        // The watermark claims more than there is, so an import would go back.
        offset = Math.max(0, (await unbrokenUpTo(pool, tenantId, stream, offset)) - overlap);
        continue;
      }
      if (lastNumber === null || lastNumber <= offset) break;
      // Late journals may lie a page before the newest.
      const sure = numbers.filter((number) => number <= lastNumber);
      newest = (await newestNotStored(pool, tenantId, basis, sure)) ?? newest;
      offset = lastNumber;
    }
    return { known: newest };
  }

  /** One of the same name may have taken its place. */
  async function isThere({ connectionName, connectionId }: Asker & Caller): Promise<boolean> {
    return (await findConnection(pool, connectionName))?.connectionId === connectionId;
  }

  async function halt(
    { caller, runId }: Inquiry,
    outcome: Exclude<CallOutcome<Answered>, { kind: 'answered' }>,
  ): Promise<{ halt: Halt }> {
    const { connectionName, application } = caller;
    switch (outcome.kind) {
      case 'throttled':
        return { halt: { kind: outcome.kind, ...waitOf(runId, outcome, now()) } };
      case 'needsReconnect':
        return { halt: outcome };
      case 'unwanted':
        return (await isThere(caller))
          ? stopped(
              'ApplicationNotAllowed',
              `The application "${application}" may no longer use the connection "${connectionName}".`,
            )
          : stopped('Disconnected', `The connection "${connectionName}" was removed.`);
      case 'notEntitled':
        return stopped('NotEntitled', `Connection "${connectionName}": ${outcome.message}`);
      case 'refused':
        return stopped('RefusedByXero', `Connection "${connectionName}": ${outcome.message}`);
    }
  }
}

function stopped(failure: FailureName, message: string): { halt: Halt } {
  return { halt: { kind: 'stopped', failure, message } };
}
