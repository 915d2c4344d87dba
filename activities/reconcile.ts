import { Context } from '@temporalio/activity';
import { conversionHint, dayBeforeThat, unusedConversion } from '../model/conversion.ts';
import {
  type AccountDifference,
  type Certificate,
  checkReconcile,
  differencesInResult,
  differs,
  isUnexplained,
  type ReconcileOutcome,
  removalOf,
  sentenceOf,
  summaryOf,
} from '../model/reconciliation.ts';
import { noCron } from '../model/refused-use.ts';
import type { Basis } from '../model/request.ts';
import type { FailureName } from '../model/run.ts';
import { inShort, shortNumber } from '../model/short-number.ts';
import { streamOf } from '../model/streams.ts';
import { type Comparison, compareLedger, type Report } from '../storage/compare-ledger.ts';
import type { Connection } from '../storage/connections.ts';
import { inTransaction } from '../storage/pool.ts';
import { alteredLines, type StoredLedger, storeCertificate, storedLedger } from '../storage/reconciliation.ts';
import { type Removed, removedJournals } from '../storage/removed-journals.ts';
import { type RunIds, runThatHolds } from '../storage/runs.ts';
import { forgetWaiting, isConnectionRenewed, noteWaiting } from '../storage/waiting-workflows.ts';
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
  /**
   * It has waited out the day's limit before: what that leaves no call for today, either, is not waited for again, as each
   * day begins anew.
   */
  isLastTry?: boolean;
  /** With which the workflow was started, if it was. */
  cronSchedule?: string | undefined;
}

interface Task extends Inquiry {
  workflowId: string;
  connection: Connection;
  date: string;
  conversionDate: string | null;
  isLastTry: boolean;
}

/** One look at the stored ledger: what there is, and how it compares. */
interface Found extends Comparison {
  stored: StoredLedger;
  newestInXero: number | null;
  removed: Removed[];
  isCutShort: boolean;
  conversion: string | null;
}

/**
 * Compares the stored ledger with Xero's own trial balance and stores the certificate: one call when they agree; where they
 * differ, one or two more for conversion balances, and a few for journals that are not stored yet. What must be waited for
 * is a value; all of it is done anew then, as Xero's books move on.
 */
export function createReconcile(dependencies: Dependencies) {
  const { pool, now } = dependencies;
  const { reportAsAt, news } = createReconcileCalls(dependencies);

  return (input: ReconcileInput): Promise<ReconcileOutcome> => whileBeating(() => reconcile(input));

  async function reconcile({
    request,
    runId,
    workflowId,
    today,
    isLastTry = false,
    cronSchedule,
  }: ReconcileInput): Promise<ReconcileOutcome> {
    if (cronSchedule) return stopped('InvalidRequest', noCron);
    await forgetWaiting(pool, workflowId);
    const checked = checkReconcile(request, now());
    const permission = await mayUse(pool, request);
    if (!checked.ok) return stopped('InvalidRequest', [...checked.problems, ...permission.problems].join('\n'));
    const { connection } = permission;
    if (!connection) return stopped(permission.failure, permission.problems.join('\n'));
    const { application, basis = 'accrual', date = today, conversionDate = null } = checked.request;
    const { connectionId, tenantId, quotaReserve, authorisationId, name: connectionName } = connection;
    const caller = { connectionId, application, tenantId, quotaReserve, authorisationId, connectionName, leaves: null };

    const stored = await storedLedger(pool, tenantId, basis);
    if (!stored?.knowsYearEnd) {
      const underWay = await runThatHolds(pool, tenantId, streamOf('journals', { basis }));
      return underWay
        ? notYet(underWay, runId)
        : stopped('NothingImported', nothingImported(connectionName, basis, stored));
    }
    const task = { runId, workflowId, connection, basis, date, conversionDate, isLastTry, caller };
    const found = await find(task);
    if ('known' in found) return certify(task, found.known);
    if (found.halt.kind === 'stopped') return found.halt;
    await noteWaiting(pool, workflowId, connectionId);
    if (found.halt.kind === 'throttled') return found.halt;
    // Asked once it is noted: a consent that comes later finds it.
    const scheduledAt = new Date(Context.current().info.currentAttemptScheduledTimestampMs);
    return { ...found.halt, isOver: await isConnectionRenewed(pool, connectionId, scheduledAt) };
  }

  /** Asks for as little as it takes: each step only while something is unexplained. */
  async function find(task: Task): Promise<Learnt<Found>> {
    const { basis, date } = task;
    const { tenantId } = task.caller;
    const report = await reportAsAt(task, date);
    if ('halt' in report) return report;
    const first = await compareLedger(pool, { tenantId, basis, report: report.known, opening: null });
    // Looked for where all agrees, too: income and costs of an earlier year, deleted together, change no account of the report.
    const removed = await removedJournals(pool, tenantId, basis);
    let found: Found = { ...first, newestInXero: null, removed, isCutShort: false, conversion: null };
    for (const look of [conversionBalances, unstored]) {
      if (!found.accounts.some(isUnexplained)) break;
      const learnt = await look(task, found, report.known);
      if ('halt' in learnt) {
        const { halt } = learnt;
        const isOfTheDay = halt.kind === 'throttled' && (halt.reason === 'day' || halt.reason === 'reserve');
        return task.isLastTry && isOfTheDay ? { known: { ...found, isCutShort: true } } : learnt;
      }
      found = learnt.known;
    }
    return { known: found };
  }

  /**
   * Only where all is stored from the first journal on is what the report shows before it a conversion balance. As at a later
   * day, which the request must tell, only where the two agree on the day before, and nothing else may be behind it.
   */
  async function conversionBalances(task: Task, found: Found, report: Report): Promise<Learnt<Found>> {
    const { basis, date, conversionDate } = task;
    const { stored, removed } = found;
    const { dayBefore } = stored;
    const { tenantId } = task.caller;
    const known = conversionDate === null ? dayBefore : dayBeforeThat(conversionDate);
    let conversion =
      conversionDate === null
        ? null
        : unusedConversion({ conversionDate, date, stored, isAnyRemoved: removed.length > 0 });
    if (stored.unbrokenThrough === null) return { known: { ...found, conversion } };
    const isLater = known > dayBefore && conversion === null;
    if (isLater) {
      const eve = await reportAsAt(task, dayBeforeThat(known));
      if ('halt' in eve) return eve;
      const { accounts } = await compareLedger(pool, { tenantId, basis, report: eve.known, opening: null });
      if (accounts.some(isUnexplained))
        conversion = `The two differ on ${eve.known.date} already, so the conversion date ${conversionDate} does not explain it.`;
    }
    const opening = await reportAsAt(task, isLater && conversion === null ? known : dayBefore);
    if ('halt' in opening) return opening;
    const compared = await compareLedger(pool, { tenantId, basis, report, opening: opening.known });
    return { known: { ...found, ...compared, conversion } };
  }

  async function unstored(task: Task, found: Found): Promise<Learnt<Found>> {
    const newest = await news(task);
    return 'halt' in newest ? newest : { known: { ...found, newestInXero: newest.known } };
  }

  async function certify(task: Task, found: Found): Promise<ReconcileOutcome> {
    const { runId, workflowId, connection, date, basis } = task;
    const { firstJournal, lastJournal, journals, unbrokenThrough, quarantined } = found.stored;
    const { accounts, isAltered } = await explain(task, found);
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
      unexplained: unexplained.slice(0, differencesInResult).map(inShort),
      explained: explained.slice(0, differencesInResult).map(inShort),
    };
    const removed = found.removed.map((each) => removalOf(each, basis));
    const outcome = unexplained.length === 0 && removed.length === 0 ? ('clean' as const) : ('differs' as const);
    const { isCutShort } = found;
    const isKnown = isAltered || removed.length > 0 || quarantined > 0 || isCutShort || found.newestInXero !== null;
    const mayBeConversion = unexplained.length > 1 && task.conversionDate === null && !isKnown;
    const conversion = found.conversion ?? (mayBeConversion ? conversionHint : null);
    const message = summaryOf(certificate, { quarantined, removed, isCutShort, conversion });
    const result = { outcome, message, runId, certificate };
    await inTransaction(pool, (client) =>
      storeCertificate(client, result, certificate, { ...task.caller, workflowId, accounts }),
    );
    return { kind: 'reconciled', result };
  }

  /** Says of each difference what is known; a line that is not as Xero sent it is never mere rounding. */
  async function explain(
    { caller, basis, date }: Task,
    { accounts }: Found,
  ): Promise<{ accounts: AccountDifference[]; isAltered: boolean }> {
    const doubtful = accounts.filter((each) => isUnexplained(each) || each.rounding !== '0.00');
    const accountIds = doubtful.flatMap(({ accountId }) => accountId ?? []);
    const earlierYears = doubtful.some(({ isRetained }) => isRetained);
    const { tenantId } = caller;
    const altered =
      doubtful.length === 0 ? [] : await alteredLines(pool, { tenantId, basis, date, accountIds, earlierYears });
    const explained = accounts.map(({ isRetained, ...account }) => {
      const own = altered.filter((line) => (line.ofEarlierYear ? isRetained : line.accountId === account.accountId));
      const held =
        own.length > 0 && !isUnexplained(account)
          ? { ...account, unexplained: account.rounding, rounding: '0.00' }
          : account;
      const hints = own
        .slice(0, 3)
        .map(
          (line) =>
            `Journal ${line.journalNumber} is stored with ${shortNumber(line.stored)} on ${line.account} where Xero sent ${shortNumber(line.sent)}.`,
        );
      return { ...held, sentence: sentenceOf(held, hints) };
    });
    return { accounts: explained, isAltered: altered.length > 0 };
  }
}

function stopped(failure: FailureName, message: string): ReconcileOutcome {
  return { kind: 'stopped', failure, message };
}

/** A Schedule may ask from the first day on: that is no failure. */
function notYet({ workflowId, connectionName }: RunIds & { connectionName: string }, runId: string): ReconcileOutcome {
  const message = `Not yet: the first import of "${connectionName}" (${workflowId}) is under way, and reads at its end what a comparison needs beside journals. Reconcile again then.`;
  return { kind: 'reconciled', result: { outcome: 'notYet', message, runId, certificate: null } };
}

function nothingImported(connection: string, basis: Basis, stored: StoredLedger | null): string {
  const cash = basis === 'cash';
  const lack = stored
    ? `The end of the financial year of "${connection}" is not known: its reference data is not imported.`
    : `No ${cash ? 'cash-basis ' : ''}journals of "${connection}" are stored.`;
  return `${lack} Import first: \`daybook import journals --connection ${connection} --application …${cash ? ' --basis cash' : ''}\`.`;
}
