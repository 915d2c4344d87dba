import {
  type AccountDifference,
  type Certificate,
  checkReconcile,
  differencesInResult,
  differs,
  isUnexplained,
  type ReconcileOutcome,
  sentenceOf,
  summaryOf,
} from '../model/reconciliation.ts';
import type { Basis } from '../model/request.ts';
import type { FailureName } from '../model/run.ts';
import { type Comparison, compareLedger } from '../storage/compare-ledger.ts';
import type { Connection } from '../storage/connections.ts';
import { inTransaction } from '../storage/pool.ts';
import { alteredLines, type StoredLedger, storeCertificate, storedLedger } from '../storage/reconciliation.ts';
import type { Dependencies } from './index.ts';
import { mayUse } from './permission.ts';
import { createReconcileCalls, type Inquiry, type Learnt } from './reconcile-calls.ts';
import { whileBeating } from './while-beating.ts';

export interface ReconcileInput {
  /** As it was sent, by whomever; checked here. */
  request: unknown;
  /** The first Temporal run id of the workflow; also the certificate's. */
  runId: string;
  workflowId: string;
  /** The day on which it was asked, YYYY-MM-DD in UTC: as at which to compare when the request does not say. */
  today: string;
}

interface Task extends Inquiry {
  workflowId: string;
  connection: Connection;
  date: string;
}

/** One look at the stored ledger: what there is, and how it compares. */
interface Found extends Comparison {
  stored: StoredLedger;
  newestInXero: number | null;
}

/**
 * Compares the stored ledger with Xero's own trial balance and stores the certificate: one call when they agree; where they
 * differ, one more for what was there before the first journal, and a few for journals that are not stored yet. What
 * must be waited for is a value; all of it is done anew then, as Xero's books move on.
 */
export function createReconcile(dependencies: Dependencies) {
  const { pool } = dependencies;
  const { reportAsAt, news } = createReconcileCalls(dependencies);

  return (input: ReconcileInput): Promise<ReconcileOutcome> => whileBeating(() => reconcile(input));

  async function reconcile({ request, runId, workflowId, today }: ReconcileInput): Promise<ReconcileOutcome> {
    const checked = checkReconcile(request);
    const permission = await mayUse(pool, request);
    if (!checked.ok) return stopped('InvalidRequest', [...checked.problems, ...permission.problems].join('\n'));
    const { connection } = permission;
    if (!connection) return stopped(permission.failure, permission.problems.join('\n'));
    const { application, basis = 'accrual', date = today } = checked.request;
    const { connectionId, tenantId, quotaReserve, authorisationId, name: connectionName } = connection;
    const caller = { connectionId, application, tenantId, quotaReserve, authorisationId, connectionName, leaves: null };

    const stored = await storedLedger(pool, tenantId, basis);
    if (!stored?.knowsYearEnd) return stopped('NothingImported', nothingImported(connectionName, basis, stored));
    const task = { runId, workflowId, connection, basis, date, caller };
    const found = await find(task);
    return 'halt' in found ? found.halt : certify(task, found.known);
  }

  async function find(task: Task): Promise<Learnt<Found>> {
    const { basis, date } = task;
    const { tenantId } = task.caller;
    const report = await reportAsAt(task, date);
    if ('halt' in report) return report;
    const asked = { tenantId, basis, report: report.known };
    const first = await compareLedger(pool, { ...asked, opening: null });
    if (!first.accounts.some(isUnexplained)) return { known: { ...first, newestInXero: null } };

    const { unbrokenThrough, dayBefore } = first.stored;
    const found = await news(task);
    if ('halt' in found) return found;
    // Only where all is stored from the first journal on is what the report shows before it a conversion balance.
    if (unbrokenThrough === null) return { known: { ...first, newestInXero: found.known } };
    const opening = await reportAsAt(task, dayBefore);
    if ('halt' in opening) return opening;
    const second = await compareLedger(pool, { ...asked, opening: opening.known });
    return { known: { ...second, newestInXero: found.known } };
  }

  async function certify(task: Task, found: Found): Promise<ReconcileOutcome> {
    const { runId, workflowId, connection, date, basis } = task;
    const { firstJournal, lastJournal, journals, unbrokenThrough, quarantined } = found.stored;
    const accounts = await explain(task, found);
    const unexplained = accounts.filter(isUnexplained);
    const explained = accounts.filter((each) => differs(each) && !isUnexplained(each));
    const certificate: Certificate = {
      connection: connection.name,
      organisation: connection.tenantName,
      date,
      basis,
      covers: { firstJournal, lastJournal, journals, unbrokenThrough },
      newestInXero: found.newestInXero,
      accounts: accounts.length,
      differing: { explained: explained.length, unexplained: unexplained.length },
      unexplained: unexplained.slice(0, differencesInResult),
      explained: explained.slice(0, differencesInResult),
    };
    const outcome = unexplained.length === 0 ? ('clean' as const) : ('differs' as const);
    const result = { outcome, message: summaryOf(certificate, quarantined), runId, certificate };
    await inTransaction(pool, (client) =>
      storeCertificate(client, result, certificate, { ...task.caller, workflowId, accounts }),
    );
    return { kind: 'reconciled', result };
  }

  /** Says of each difference what is known; a line that is not as Xero sent it is never mere rounding. */
  async function explain({ caller, basis, date }: Task, { accounts }: Found): Promise<AccountDifference[]> {
    const doubtful = accounts.filter((each) => isUnexplained(each) || each.rounding !== '0.00');
    const accountIds = doubtful.flatMap(({ accountId }) => accountId ?? []);
    const earlierYears = doubtful.some(({ isRetained }) => isRetained);
    const { tenantId } = caller;
    const altered =
      doubtful.length === 0 ? [] : await alteredLines(pool, { tenantId, basis, date, accountIds, earlierYears });
    return accounts.map(({ isRetained, ...account }) => {
      const own = altered.filter((line) => (line.ofEarlierYear ? isRetained : line.accountId === account.accountId));
      const held =
        own.length > 0 && !isUnexplained(account)
          ? { ...account, unexplained: account.rounding, rounding: '0.00' }
          : account;
      const hints = own
        .slice(0, 3)
        .map(
          (line) =>
            `Journal ${line.journalNumber} is stored with ${line.stored} on ${line.account} where Xero sent ${line.sent}.`,
        );
      return { ...held, sentence: sentenceOf(held, hints) };
    });
  }
}

function stopped(failure: FailureName, message: string): ReconcileOutcome {
  return { kind: 'stopped', failure, message };
}

function nothingImported(connection: string, basis: Basis, stored: StoredLedger | null): string {
  const cash = basis === 'cash';
  const lack = stored
    ? `The end of the financial year of "${connection}" is not known: its reference data is not imported.`
    : `No ${cash ? 'cash-basis ' : ''}journals of "${connection}" are stored.`;
  return `${lack} Import first: \`daybook import journals --connection ${connection} --application …${cash ? ' --basis cash' : ''}\`.`;
}
