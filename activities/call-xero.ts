import { ApplicationFailure, Context, log, sleep } from '@temporalio/activity';
import type { Leaves } from '../model/precedence.ts';
import type { WaitReason } from '../model/run.ts';
import type { Spender } from '../storage/quota.ts';
import type { Answered } from '../xero/api.ts';
import type { Refused, XeroFault } from '../xero/faults.ts';
import type { Secret } from '../xero/secret.ts';
import { diagnoseRefusal } from './diagnose-refusal.ts';
import type { Dependencies } from './index.ts';

/** Waits up to this long happen here, beating; longer ones, and the day's, are for the workflow's durable timer. */
const shortWaitMs = 20_000;

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
  dependencies: Pick<Dependencies, 'permits' | 'tokens' | 'now' | 'xero' | 'connectPage' | 'meters'>,
  caller: Caller,
  send: Send<A>,
): Promise<CallOutcome<A>> {
  const { permits, tokens, now, meters } = dependencies;
  const signal = Context.current().cancellationSignal;
  const mustReconnect = (said: string) => {
    const message = reconnect(caller, dependencies.connectPage, said);
    log.warn(message);
    return { kind: 'needsReconnect' as const, message };
  };
  let rejectedGeneration: number | undefined;
  let rejections = 0;
  let isAnew = false;

  for (;;) {
    const token = await tokens.accessToken(caller.authorisationId, {
      notThis: rejectedGeneration,
      anew: isAnew,
      signal,
    });
    if (token.kind === 'needsReconnect') return mustReconnect(token.message);
    if (token.kind === 'unavailable') throw passing(token.message, null);

    const permit = await permits.take(caller);
    if (!permit.granted) {
      const { reason, until } = permit;
      meters.heldBack(reason);
      if (reason === 'day' || until - now() > shortWaitMs) return { kind: 'throttled', reason, until };
      await sleep(Math.max(1, until - now()));
      continue;
    }
    if (!permit.open || !permit.allowed) {
      permits.settle(permit, nothingSaid);
      return { kind: 'unwanted', allowed: permit.allowed };
    }

    const sentAt = now();
    const call = { tenantId: caller.tenantId, accessToken: token.accessToken, signal };
    const answer = await send(call).catch((aborted) => {
      permits.settle(permit, nothingSaid);
      throw aborted;
    });
    const latencyMs = now() - sentAt;
    meters.called(answer.kind, latencyMs);
    if (answer.kind === 'throttled') {
      await permits.refused(permit, answer.window, answer.retryAfterSeconds);
      continue;
    }
    permits.settle(permit, answer.limits);

    switch (answer.kind) {
      case 'answered':
        return { kind: 'answered', answer, latencyMs };
      case 'tokenExpired':
      case 'tokenRejected':
        // A token just refreshed is no matter of age any more; one that was stored meanwhile may be as old as the first.
        rejections++;
        if (rejections > 1 && (token.isFresh || rejections > mostRejections))
          return mustReconnect('Xero refuses its access token, and the one just refreshed');
        rejectedGeneration = token.generation;
        continue;
      case 'unavailable':
        throw passing(answer.message, answer.retryAfterSeconds);
      case 'notEntitled':
      case 'disconnected': {
        // A token keeps the scopes it was given with, so it may be older than the consent that mends this.
        const newest = isAnew ? token : await tokens.accessToken(caller.authorisationId, { anew: true, signal });
        isAnew = true;
        if (newest.kind === 'token' && newest.generation !== token.generation) continue;
        const diagnosed = await diagnoseRefusal(dependencies, caller, answer, call);
        return diagnosed.kind === 'needsReconnect' ? mustReconnect(diagnosed.message) : diagnosed;
      }
      default:
        return answer;
    }
  }
}

/** As many tokens are refused in a row at most, should other processes refresh them all the while. */
const mostRejections = 3;

const nothingSaid = { dayRemaining: null, minuteRemaining: null, appMinuteRemaining: null };

/** Something that passes: Temporal tries again, first soon and then ever later, up to what Xero advised. */
function passing(message: string, adviceSeconds: number | null): ApplicationFailure {
  const { attempt } = Context.current().info;
  const delaySeconds = Math.min(adviceSeconds ?? 60, 2 ** Math.min(attempt, 10));
  return ApplicationFailure.create({ message, type: 'XeroUnavailable', nextRetryDelay: delaySeconds * 1_000 });
}

/** The connection, and where the admin goes: what a log line, the Temporal UI and the query `progress` say of a run that waits. */
function reconnect({ connectionName, application }: Caller, connectPage: string | undefined, said: string): string {
  const where = connectPage === undefined ? '' : `at ${connectPage}, or `;
  return `The connection "${connectionName}" must be reconnected: ${said.replace(/\.$/, '')}. An admin does so ${where}with \`daybook connect --name ${connectionName} --application ${application}\`; what waits for it then goes on by itself.`;
}
