import { log } from '@temporalio/activity';
import { isSliceOver } from '../model/lanes.ts';
import {
  type ContactsReading,
  contactsPerPage,
  nextContacts,
  secondBefore,
  settledThrough,
} from '../model/reference.ts';
import type { Attempt } from '../storage/quota.ts';
import {
  endReference,
  missReference,
  moveReference,
  type ReferencePosition,
  referenceDue,
  storeReference,
} from '../storage/reference.ts';
import type { Answered } from '../xero/api.ts';
import { bringTheSame } from '../xero/pages.ts';
import { type Caller, type CallOutcome, callXero, type Send } from './call-xero.ts';
import type { Dependencies } from './index.ts';
import type { Slices } from './slices.ts';

type Run = Caller & Attempt;
type Halted = Extract<CallOutcome<Answered>, { kind: 'throttled' | 'needsReconnect' | 'unwanted' }>;
/** There is more to read, which is for the next slice, or for another worker. */
type Unfinished = { kind: 'unfinished' };
type Refusal = Extract<CallOutcome<Answered>, { kind: 'notEntitled' | 'refused' }>;

/**
 * So often does trouble of Xero's with reference data hold up a run, whatever trouble it had before; what it has imported needs no
 * contacts to be true.
 */
const patientAttempts = 4;

/**
 * Refreshes an organisation's reference data: organisation, accounts, tracking categories and contacts, as far as they are
 * due. It is done when the rest of a run is stored, so that each account that a stored line names is among them. What Xero
 * refuses (a scope that was not granted, say) is noted and ends nothing.
 */
export function createRefreshReference(dependencies: Dependencies, slices: Slices) {
  const { pool, xero, refusals, now, stopping } = dependencies;

  /** Null when all that is due is read; else why it must be gone on with later. */
  return async function refreshReference(run: Run): Promise<Halted | Unfinished | null> {
    for (const due of await referenceDue(pool, run.runId)) {
      if (stopping()) return unfinished;
      const halted = await refresh(run, due).catch((trouble: Error) => {
        if (!isXeros(trouble) || refusals.times('reference data') < patientAttempts) throw trouble;
        return note(run, due, trouble.message, 'inAnHour');
      });
      if (halted !== null) return halted;
    }
    return null;
  };

  async function refresh(run: Run, due: ReferencePosition): Promise<Halted | Unfinished | null> {
    const modifiedSince = due.readThrough === null ? undefined : secondBefore(due.readThrough);
    switch (due.endpoint) {
      case 'organisation':
        return readWhole(run, due, (call) => xero.organisation(call));
      case 'accounts':
        return readWhole(run, due, (call) => xero.accounts({ ...call, modifiedSince }));
      case 'trackingCategories':
        return readWhole(run, due, (call) => xero.trackingCategories(call));
      case 'contacts':
        return readContacts(run, due, due.reading ?? beginning(due, modifiedSince));
    }
  }

  async function readWhole(run: Run, due: ReferencePosition, send: Send<Answered>): Promise<Halted | null> {
    const { endpoint, settled } = due;
    const outcome = await callXero(dependencies, run, endpoint, send);
    if (outcome.kind !== 'answered') return halt(run, due, outcome);
    const { newest } = await storeReference(pool, { ...run, endpoint, text: outcome.answer.body.toString() });
    await endReference(pool, { ...run, endpoint }, settledThrough(newest, settled));
    return null;
  }

  async function readContacts(
    run: Run,
    due: ReferencePosition,
    from: ContactsReading,
  ): Promise<Halted | Unfinished | null> {
    const { endpoint } = due;
    const began = now();
    let reading = from;
    /** The page with the number before. */
    let before: Buffer | null = null;
    for (let pages = 1; ; pages++) {
      const { modifiedSince, page, settled } = reading;
      const outcome = await callXero(dependencies, run, endpoint, (call) =>
        xero.contacts({ ...call, modifiedSince, page, pageSize: contactsPerPage }),
      );
      if (outcome.kind !== 'answered') return halt(run, due, outcome);
      const { body, count, isLast } = outcome.answer;
      if (before !== null && count > 0 && bringTheSame('Contacts', before, body))
        return note(run, due, `Xero sent for page ${page} what it had sent for the one before.`, 'inAnHour');
      const { newest, ascending } = await storeReference(pool, { ...run, endpoint, text: body.toString() });
      const ordered = reading.ordered && ascending;
      const isNewer = newest !== null && (reading.seen === null || newest > reading.seen);
      const seen = isNewer ? newest : reading.seen;
      if (count === 0 || isLast === true) {
        await endReference(pool, { ...run, endpoint }, settledThrough(seen, settled));
        return null;
      }
      reading = { ...reading, ...nextContacts(reading, newest, ordered), ordered, seen };
      before = reading.page === 1 ? null : body;
      // While the order is kept, all up to the newest seen is stored, and what of it has settled need not be read again, whatever becomes of this.
      await moveReference(pool, { ...run, endpoint }, ordered ? settledThrough(seen, settled) : null, reading);
      // A second page with a number is compared with the first, however long they take.
      const isOver = isSliceOver(now() - began, pages, slices.lengthMs(), 0) && (pages > 1 || before === null);
      if (stopping() || isOver) return unfinished;
    }
  }

  /** A refusal is noted, and the next endpoint is asked; all else is for the workflow to wait for. */
  function halt(run: Run, due: ReferencePosition, outcome: Halted | Refusal): Promise<null> | Halted {
    switch (outcome.kind) {
      // What the tier, the scopes and the role do not reach stays so; another refusal (404, say) may have been a mishap.
      case 'notEntitled':
        return note(run, due, outcome.message, 'inAnHour');
      case 'refused':
        return note(run, due, outcome.message, 'nextTime');
      default:
        return outcome;
    }
  }

  async function note(
    run: Run,
    { endpoint }: ReferencePosition,
    said: string,
    askAgain: 'inAnHour' | 'nextTime',
  ): Promise<null> {
    const message = `The reference data of "${run.connectionName}" is not complete (${endpoint}): ${said}`;
    log.warn(message);
    await missReference(pool, { ...run, endpoint }, message, askAgain);
    return null;
  }
}

const unfinished: Unfinished = { kind: 'unfinished' };

function beginning({ readThrough, settled }: ReferencePosition, modifiedSince: string | undefined): ContactsReading {
  return { modifiedSince, page: 1, whole: readThrough === null, ordered: true, seen: readThrough, settled };
}

function isXeros(trouble: Error): boolean {
  return 'type' in trouble && trouble.type === 'XeroUnavailable';
}
