import { ApplicationFailure, Context, log, sleep } from '@temporalio/activity';
import type { Leaves } from '../model/precedence.ts';
import { nothingSaid } from '../model/quota.ts';
import type { WaitReason } from '../model/run.ts';
import { shellWord } from '../model/shell-word.ts';
import type { Spender } from '../storage/quota.ts';
import type { Answered, Endpoint } from '../xero/api.ts';
import type { Refused, Unavailable, XeroFault } from '../xero/faults.ts';
import type { Secret } from '../xero/secret.ts';
import type { AccessToken } from '../xero/tokens.ts';
import { diagnoseRefusal } from './diagnose-refusal.ts';
import { pauseAfter } from './in-words.ts';
import type { Dependencies } from './index.ts';
import type { CallPermit } from './permits.ts';

/** Waits up to this long happen here, beating; longer ones, and the day's, are for the workflow's durable timer. */
const shortWaitMs = 20_000;
/** Xero refuses against all arithmetic, as others take what there is: after so many times it is left alone for a while. */
const mostRefusals = 5;
const refusedAgainSeconds = 30;
/** Whatever an outage's answer says, it is looked at again after an hour. */
const longestAdviceSeconds = 3_600;

/** As many tokens are refused in a row at most, should other processes refresh them all the while. */
const mostRejections = 3;

/** So many attempts must end so, without a page in between, before somebody is asked to reconnect. */
const surelyRejected = 3;

/** Who calls: an import run, or an application outside of one. */
export type Caller = Spender & {
  tenantId: string;
  /** How many of the day's calls are left to others. */
  quotaReserve: number;
  /** What a backfill leaves to imports that somebody waits for; null for these. */
  leaves: Leaves | null;
  authorisationId: string;
  connectionName: string;
  application: string;
};

/** What can become of a call, once permits, tokens and passing troubles are dealt with. */
export type CallOutcome<A extends Answered> =
  | { kind: 'answered'; answer: A; latencyMs: number }
  | { kind: 'throttled'; reason: WaitReason; until: number }
  | { kind: 'needsReconnect'; message: string }
  /** The run was ended, paused, given to a newer attempt, or its application taken off the list: the call was not made. */
  | { kind: 'unwanted'; allowed: boolean }
  | Extract<XeroFault, { kind: 'notEntitled' }>
  | Refused;

export type Send<A extends Answered> = (call: {
  tenantId: string;
  accessToken: Secret;
  signal: AbortSignal;
}) => Promise<A | XeroFault>;

/**
 * Makes one call to Xero the way every call is made: access token, permit, call, correction of the quota ledger by what
 * Xero said. Short waits are waited for; passing troubles (network, 5xx, broken answers) are thrown, for Temporal to try
 * again; all else is a value.
 */
export async function callXero<A extends Answered>(
  dependencies: Needed,
  caller: Caller,
  endpoint: Endpoint,
  send: Send<A>,
): Promise<CallOutcome<A>> {
  const { permits, tokens, now, meters } = dependencies;
  const signal = Context.current().cancellationSignal;
  const judge = createJudge(dependencies, caller, endpoint, signal);
  let notThis: number | undefined;

  for (;;) {
    const token = await tokens.accessToken(caller.authorisationId, { notThis, signal });
    if (token.kind === 'needsReconnect') return mustReconnect(dependencies, caller, token.message);
    if (token.kind === 'unavailable') throw passing(token.message);
    const permit = await permitFor(dependencies, caller, endpoint);
    if ('kind' in permit) return permit;

    const sentAt = now();
    const call = { tenantId: caller.tenantId, accessToken: token.accessToken, signal };
    const answer = await send(call).catch((aborted) => {
      permits.settle(permit, nothingSaid);
      throw aborted;
    });
    // A clock may be set back meanwhile.
    const latencyMs = Math.max(0, now() - sentAt);
    meters.called(answer.kind, latencyMs);
    if (answer.kind === 'throttled') await permits.refused(permit, answer.window, answer.retryAfterSeconds);
    else permits.settle(permit, answer.limits);
    if (answer.kind === 'answered') return { kind: 'answered', answer, latencyMs };
    const judged = await judge(answer, token, permit);
    if ('kind' in judged) return judged;
    notThis = judged.notThis;
  }
}

type Needed = Pick<
  Dependencies,
  'permits' | 'outages' | 'tokens' | 'refusals' | 'now' | 'xero' | 'connectPage' | 'meters'
>;
/** What is no answer. */
type Unanswered = Exclude<CallOutcome<Answered>, { kind: 'answered' }>;

/** Spends a call, waiting for it while that is short; a value where it takes longer, or is not wanted any more. */
async function permitFor(
  { permits, outages, now, meters }: Needed,
  caller: Caller,
  endpoint: Endpoint,
): Promise<CallPermit | Unanswered> {
  for (const since = now(); ; ) {
    const permit = outages.heldBack(caller.tenantId, endpoint) ?? (await permits.take(caller));
    if (permit.granted) {
      if (permit.open && permit.allowed) return permit;
      permits.settle(permit, nothingSaid);
      return { kind: 'unwanted', allowed: permit.allowed };
    }
    const { reason, until } = permit;
    meters.heldBack(reason);
    if (reason === 'day' || until - since > shortWaitMs) return { kind: 'throttled', reason, until };
    await sleep(Math.max(1, until - now()));
  }
}

/** Ask again, and, where a generation is named, by another token than its own. */
interface AskAgain {
  notThis: number | undefined;
}

/** What becomes of a call that Xero did not answer, given what it said to those before it. */
function createJudge(dependencies: Needed, caller: Caller, endpoint: Endpoint, signal: AbortSignal) {
  const { permits, outages, tokens, now } = dependencies;
  let rejections = 0;
  let rejectedGeneration: number | undefined;
  let refusals = 0;
  let isNewest = false;

  return async (fault: XeroFault, token: AccessToken, permit: CallPermit): Promise<Unanswered | AskAgain> => {
    switch (fault.kind) {
      case 'throttled': {
        refusals++;
        if (refusals < mostRefusals) return { notThis: rejectedGeneration };
        const waitSeconds = Math.max(fault.retryAfterSeconds ?? 0, refusedAgainSeconds);
        return { kind: 'throttled', reason: fault.window, until: now() + waitSeconds * 1_000 };
      }
      case 'tokenExpired':
      case 'tokenRejected':
        rejectedGeneration = token.generation;
        return rejected(token);
      case 'unavailable':
        return leftAlone(fault, permit);
      case 'notEntitled':
      case 'disconnected': {
        // A token keeps the scopes it was given with, so it may be older than the consent that mends this.
        const newest = isNewest ? token : await tokens.accessToken(caller.authorisationId, { anew: true, signal });
        isNewest = true;
        if (newest.kind === 'token' && newest.generation !== token.generation) return { notThis: rejectedGeneration };
        const call = { accessToken: token.accessToken, signal };
        const diagnosed = await diagnoseRefusal(dependencies, caller, fault, call);
        if (diagnosed.kind === 'notEntitled') return diagnosed;
        // It may pass, as what its list of connections has does, and then nobody need consent anew.
        if (diagnosed.kind === 'unsure' && dependencies.refusals.times('consent') < surelyRejected)
          throw passing(
            `Xero refuses calls for the organisation ${caller.tenantId} as not connected, and its list of connections cannot be read to make sure.`,
          );
        return mustReconnect(dependencies, caller, diagnosed.message);
      }
      default:
        return fault;
    }
  };

  function rejected({ isFresh, generation }: AccessToken): Unanswered | AskAgain {
    // A token just refreshed is no matter of age any more; one that was stored meanwhile may be as old as the first.
    rejections++;
    if (rejections === 1 || (!isFresh && rejections <= mostRejections)) return { notThis: generation };
    const said = 'Xero refuses its access token, and the one just refreshed';
    // It goes on giving tokens, so the consent may well live, and only its API be at odds for a moment.
    if (dependencies.refusals.times('token') < surelyRejected)
      throw passing(`Connection "${caller.connectionName}": ${said}.`);
    return mustReconnect(dependencies, caller, said);
  }

  async function leftAlone(fault: Unavailable, permit: CallPermit): Promise<Unanswered> {
    const adviceSeconds = Math.min(fault.retryAfterSeconds ?? 0, longestAdviceSeconds);
    if (adviceSeconds === 0) throw passing(fault.message);
    const until = isEverywhere(fault)
      ? await permits.down(permit, adviceSeconds)
      : outages.began(caller.tenantId, endpoint, adviceSeconds);
    if (until - now() > shortWaitMs) return { kind: 'throttled', reason: 'outage', until };
    throw passing(fault.message, adviceSeconds);
  }
}

/** Xero says in words that an organisation is offline, or all of its API; other trouble may be that of one endpoint. */
function isEverywhere({ cause }: Unavailable): boolean {
  return cause === 'offline' || cause === 'maintenance';
}

/**
 * Something that passes: Temporal tries again, first soon and then ever later, but not before Xero advised. Each time is a call of
 * the day's; for an organisation that is offline "a retry interval of 5mins or so is recommended" (Xero's response codes), which
 * the pauses come to by themselves.
 */
function passing(message: string, adviceSeconds = 0): ApplicationFailure {
  const delaySeconds = Math.max(adviceSeconds, pauseAfter(Context.current().info.attempt));
  return ApplicationFailure.create({ message, type: 'XeroUnavailable', nextRetryDelay: delaySeconds * 1_000 });
}

/** The connection, and where the admin goes: what a log line, the Temporal UI and the query `progress` say of a run that waits. */
function mustReconnect({ connectPage }: Needed, { connectionName, application }: Caller, said: string) {
  const where = connectPage === undefined ? '' : `at ${connectPage}, or `;
  const message = `The connection "${connectionName}" must be reconnected: ${said.replace(/\.$/, '')}. An admin does so ${where}with \`daybook connect --name ${connectionName} --application ${shellWord(application)}\`; what waits for it then goes on by itself.`;
  log.warn(message);
  return { kind: 'needsReconnect' as const, message };
}
