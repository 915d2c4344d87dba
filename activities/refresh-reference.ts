import { log } from '@temporalio/activity';
import { type ContactsPlace, contactsPerPage, nextContacts, secondBefore, settledThrough } from '../model/reference.ts';
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
import { type Caller, type CallOutcome, callXero, type Send } from './call-xero.ts';
import type { Dependencies } from './index.ts';

type Run = Caller & Attempt;
type Halted = Extract<CallOutcome<Answered>, { kind: 'throttled' | 'needsReconnect' | 'unwanted' }>;
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
export function createRefreshReference(dependencies: Dependencies) {
  const { pool, xero, refusals } = dependencies;

  /** Null when all that is due is read; else why it must be gone on with later. */
  return async function refreshReference(run: Run): Promise<Halted | null> {
    for (const due of await referenceDue(pool, run.runId)) {
      const halted = await refresh(run, due).catch((trouble: Error) => {
        if (!isXeros(trouble) || refusals.times('reference data') < patientAttempts) throw trouble;
        return note(run, due, trouble.message, 'inAnHour');
      });
      if (halted !== null) return halted;
    }
    return null;
  };

  async function refresh(run: Run, due: ReferencePosition): Promise<Halted | null> {
    const modifiedSince = due.readThrough === null ? undefined : secondBefore(due.readThrough);
    switch (due.endpoint) {
      case 'organisation':
        return readWhole(run, due, (call) => xero.organisation(call));
      case 'accounts':
        return readWhole(run, due, (call) => xero.accounts({ ...call, modifiedSince }));
      case 'trackingCategories':
        return readWhole(run, due, (call) => xero.trackingCategories(call));
      case 'contacts':
        return readContacts(run, due, { modifiedSince, page: 1 });
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

  async function readContacts(run: Run, due: ReferencePosition, from: ContactsPlace): Promise<Halted | null> {
    const { endpoint, settled } = due;
    // While the order is kept, all up to the newest seen is stored, and a later attempt may go on from what of it has settled.
    let ordered = true;
    let seen = due.readThrough;
    for (let at = from; ; ) {
      const ask: ContactsPlace = at;
      const outcome = await callXero(dependencies, run, endpoint, (call) =>
        xero.contacts({ ...call, ...ask, pageSize: contactsPerPage }),
      );
      if (outcome.kind !== 'answered') return halt(run, due, outcome);
      const { body, count, isLast } = outcome.answer;
      const { newest, ascending } = await storeReference(pool, { ...run, endpoint, text: body.toString() });
      ordered &&= ascending;
      if (newest !== null && (seen === null || newest > seen)) seen = newest;
      if (count === 0 || isLast === true) {
        await endReference(pool, { ...run, endpoint }, settledThrough(seen, settled));
        return null;
      }
      if (ordered) await moveReference(pool, { ...run, endpoint }, settledThrough(seen, settled));
      at = nextContacts(at, newest, ordered);
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

function isXeros(trouble: Error): boolean {
  return 'type' in trouble && trouble.type === 'XeroUnavailable';
}
