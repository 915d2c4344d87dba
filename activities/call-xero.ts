import { ApplicationFailure, Context, heartbeat, sleep } from '@temporalio/activity';
import type pg from 'pg';
import { block, blockedUntil, emptyLedger, type QuotaLedger, settle, takePermit } from '../model/quota.ts';
import type { WaitReason } from '../model/run.ts';
import { countCall, type QuotaScope, readLedger, writeLedger } from '../storage/quota.ts';
import type { Answered } from '../xero/api.ts';
import type { Refused, Throttled, XeroFault } from '../xero/faults.ts';
import type { Secret } from '../xero/secret.ts';
import type { Dependencies } from './index.ts';

/** Waits up to this long happen here, beating; longer ones are given back, for the workflow's durable timer. */
const shortWaitMs = 8_000;

export interface Caller {
  runId: string;
  tenantId: string;
  authorisationId: string;
  connectionName: string;
}

/** What can become of a call, once permits, tokens and passing troubles are dealt with. */
export type CallOutcome<A extends Answered> =
  | { kind: 'answered'; answer: A }
  | { kind: 'throttled'; reason: WaitReason; until: number }
  | { kind: 'needsReconnect'; message: string }
  | Extract<XeroFault, { kind: 'notEntitled' | 'disconnected' }>
  | Refused;

export type Send<A extends Answered> = (call: {
  tenantId: string;
  accessToken: Secret;
  signal: AbortSignal;
}) => Promise<A | XeroFault>;

/**
 * Makes one call to Xero the way every call is made: permit, access token, call, correction of the quota ledger by what
 * Xero said. Short waits are waited for; passing troubles (network, 5xx, broken answers) are thrown, for Temporal to try
 * again; all else is a value.
 */
export async function callXero<A extends Answered>(
  { pool, tokens, clientId, now }: Pick<Dependencies, 'pool' | 'tokens' | 'clientId' | 'now'>,
  caller: Caller,
  send: Send<A>,
): Promise<CallOutcome<A>> {
  const tenant: QuotaScope = `tenant:${caller.tenantId}`;
  const app: QuotaScope = `app:${clientId}`;
  const signal = Context.current().cancellationSignal;
  let rejectedGeneration: number | undefined;

  for (;;) {
    heartbeat();
    const token = await tokens.accessToken(caller.authorisationId, {
      signal,
      ...(rejectedGeneration === undefined ? {} : { notThis: rejectedGeneration }),
    });
    if (token.kind === 'needsReconnect') return { kind: 'needsReconnect', message: token.message };
    if (token.kind === 'unavailable') throw passing(token.message, null);

    const permit = await spend(pool, tenant, app, caller.runId, now);
    if (!permit.granted) {
      if (permit.reason === 'day' || permit.until - now() > shortWaitMs) return throttled(permit.reason, permit.until);
      await sleep(Math.max(1, permit.until - now()));
      continue;
    }

    const answer = await send({ tenantId: caller.tenantId, accessToken: token.accessToken, signal });
    if (answer.kind === 'throttled') {
      const until = blockedUntil(answer.window, answer.retryAfterSeconds, now());
      await refuse(pool, answer, tenant, app, permit.lease, until, now);
      continue;
    }
    await correct(pool, tenant, (ledger) => settle(ledger, permit.lease, answer.limits, now()));

    switch (answer.kind) {
      case 'answered':
        return { kind: 'answered', answer };
      case 'tokenExpired':
      case 'tokenRejected':
        // One refresh for each token: a second refusal in a row is no matter of age any more.
        if (rejectedGeneration !== undefined)
          return { kind: 'needsReconnect', message: reconnect(caller, answer.message) };
        rejectedGeneration = token.generation;
        continue;
      case 'unavailable':
        throw passing(answer.message, answer.retryAfterSeconds);
      default:
        return answer;
    }
  }
}

type Spent = { granted: true; lease: number } | { granted: false; reason: WaitReason; until: number };

async function spend(
  pool: pg.Pool,
  tenant: QuotaScope,
  app: QuotaScope,
  runId: string,
  now: () => number,
): Promise<Spent> {
  for (;;) {
    const [own, shared] = await Promise.all([readLedger(pool, tenant), readLedger(pool, app)]);
    const { blockedUntil: appUntil } = shared.ledger;
    if (appUntil !== null && appUntil > now()) return { granted: false, reason: 'appMinute', until: appUntil };
    const permit = takePermit(own.ledger, now());
    if (!permit.granted) return permit;
    if (await writeLedger(pool, tenant, own.version, permit.ledger)) {
      await countCall(pool, runId);
      return { granted: true, lease: permit.lease };
    }
  }
}

async function refuse(
  pool: pg.Pool,
  { window }: Throttled,
  tenant: QuotaScope,
  app: QuotaScope,
  lease: number,
  until: number,
  now: () => number,
): Promise<void> {
  if (window !== 'appMinute') return correct(pool, tenant, (ledger) => block(ledger, lease, window, until));
  await correct(pool, app, (ledger) => block(ledger, 0, window, until));
  await correct(pool, tenant, (ledger) => settle(ledger, lease, noReading, now()));
}

const noReading = { dayRemaining: null, minuteRemaining: null, appMinuteRemaining: null };

async function correct(pool: pg.Pool, scope: QuotaScope, change: (ledger: QuotaLedger) => QuotaLedger): Promise<void> {
  for (;;) {
    const { version, ledger } = await readLedger(pool, scope);
    if (await writeLedger(pool, scope, version, change(ledger))) return;
  }
}

/** Calls left today as far as is known, for people to see. */
export async function dayRemaining(pool: pg.Pool, tenantId: string): Promise<number | null> {
  const { ledger } = await readLedger(pool, `tenant:${tenantId}`);
  return (ledger ?? emptyLedger).dayRemaining;
}

function throttled(reason: WaitReason, until: number): { kind: 'throttled'; reason: WaitReason; until: number } {
  return { kind: 'throttled', reason, until };
}

/** Something that passes: Temporal tries again, first soon and then ever later, up to what Xero advised. */
function passing(message: string, adviceSeconds: number | null): ApplicationFailure {
  const { attempt } = Context.current().info;
  const delaySeconds = Math.min(adviceSeconds ?? 60, 2 ** Math.min(attempt, 10));
  return ApplicationFailure.create({ message, type: 'XeroUnavailable', nextRetryDelay: delaySeconds * 1_000 });
}

function reconnect(caller: Caller, said: string): string {
  return `Xero does not accept the authorisation of the connection "${caller.connectionName}" any more (${said}). An admin reconnects it with \`daybook connect --name ${caller.connectionName}\`; the import then goes on by itself.`;
}
