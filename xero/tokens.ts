import type pg from 'pg';
import type { XeroApp } from '../model/xero-app.ts';
import { type Authorisation, endAuthorisation, findAuthorisation } from '../storage/authorisations.ts';
import { createRefreshLock } from '../storage/refresh-lock.ts';
import { pruneTokens } from '../storage/token-sweep.ts';
import { createUnderWay } from '../storage/under-way.ts';
import { endAbandoned } from './abandoned-consents.ts';
import { followUp, keepAlive, type Swept } from './follow-up.ts';
import { missing, unusable } from './lost-authorisation.ts';
import { type RefreshDeps, refresh, type TokenLog } from './refresh.ts';
import type { KeyRing } from './sealing.ts';
import type { Secret } from './secret.ts';
import { createTokenEndpoint } from './token-endpoint.ts';
import { openPair } from './token-set.ts';

export type AccessToken = {
  kind: 'token';
  accessToken: Secret;
  /** Names the token; hand it back as `notThis` when Xero says that it has expired. */
  generation: number;
  /** It comes from a refresh made for whoever asks; otherwise it was there, and may be as old as another. */
  isFresh: boolean;
};

/** `unavailable` passes by itself; `needsReconnect` only by a new consent. Messages are sentences without secrets. */
export type TokenAnswer =
  | AccessToken
  | { kind: 'needsReconnect'; message: string }
  | { kind: 'unavailable'; message: string };

export interface TokensDeps {
  pool: pg.Pool;
  xero: XeroApp;
  keys: KeyRing;
  now: () => number;
  log: TokenLog;
  /** How long the token endpoint may take. */
  timeoutSeconds?: number;
  /** How long another process may hold the refresh before it is taken from it: its own time limit and some. */
  patienceMs?: number;
}

export interface Ask {
  /** The generation that Xero just rejected as expired: asks for another one, and makes at most one refresh for it. */
  notThis?: number | undefined;
  /** Asks Postgres, not this process's memory: a new consent, with more scopes, may have been given meanwhile. */
  anew?: boolean;
  /** Ends the waiting, not the refresh: a rotation that was begun is always finished. */
  signal?: AbortSignal | undefined;
}

export type Tokens = ReturnType<typeof createTokens>;

const pollMs = 200;
/** The token endpoint gives up after 20 s; then the answer is stored. */
const closeWithinMs = 25_000;
const stopping = { kind: 'unavailable' as const, message: 'This process is stopping, so it asks for no new token.' };

/** The one source of access tokens: cached in the process, one refresh at a time for each authorisation everywhere. */
export function createTokens({ pool, xero, keys, now, log, timeoutSeconds, patienceMs = 30_000 }: TokensDeps) {
  const deps: RefreshDeps = {
    pool,
    keys,
    endpoint: createTokenEndpoint(xero, now, timeoutSeconds),
    now,
    log,
    pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };
  const lock = createRefreshLock(pool);
  const cache = new Map<string, AccessToken & { freshUntil: number }>();
  const inFlight = new Map<string, Promise<TokenAnswer>>();
  const underWay = createUnderWay();
  let closing = false;
  /** The last generation that Xero rejected: not offered again while no other can be had, as each try costs a call. */
  const rejected = new Map<string, number>();

  function remember(authorisationId: string, accessToken: Secret, generation: number, left: number, life: number) {
    const token = { kind: 'token' as const, accessToken, generation, isFresh: false };
    const known = cache.get(authorisationId);
    if (known === undefined || known.generation <= generation) {
      cache.set(authorisationId, { ...token, freshUntil: now() + (left - marginSeconds(life)) * 1_000 });
    }
    return token;
  }

  /** The stored token if it will do, read anew: another process may have refreshed it. */
  async function stored(seen: Authorisation, notThis: number | undefined): Promise<AccessToken | null> {
    if (seen.generation === 0 || seen.generation === notThis) return null;
    if (seen.secondsLeft <= marginSeconds(seen.lifeSeconds)) return null;
    const pair = await openPair(keys, seen.clientId, seen.authorisationId, seen);
    return remember(seen.authorisationId, pair.accessToken, seen.generation, seen.secondsLeft, seen.lifeSeconds);
  }

  async function obtain(authorisationId: string, notThis: number | undefined): Promise<TokenAnswer> {
    const until = now() + patienceMs;
    let wrested = false;
    for (;;) {
      const seen = await findAuthorisation(pool, authorisationId);
      const dead = unusable(seen, authorisationId, xero.clientId);
      if (seen === null || dead !== null) return dead ?? missing();
      const token = await stored(seen, notThis);
      if (token !== null) return token;
      if (await lock.take(authorisationId)) {
        const answer = await refreshOnce(authorisationId, notThis).finally(() => lock.release(authorisationId));
        if (answer !== null) return answer;
      }
      if (now() > until && !wrested) {
        // A paused machine keeps its session, and its lock, for as long as it sleeps; Xero's grace does not wait for it.
        wrested = true;
        try {
          const ended = await lock.wrest(authorisationId);
          log.warn(
            { authorisationId, ended },
            'Another process held a refresh for too long, so its lock was taken from it',
          );
        } catch (error) {
          // Whoever is not ours to end: any login can take such a lock, which saves calls only.
          const reason = (error as Error).message;
          log.warn(
            { authorisationId, reason },
            'The lock of a refresh is held by somebody else, so it is made without',
          );
          const answer = await refreshOnce(authorisationId, notThis);
          if (answer !== null) return answer;
        }
        continue;
      }
      if (now() > until + patienceMs) {
        const message = `Another process has been refreshing authorisation ${authorisationId} for ${(2 * patienceMs) / 1_000} s. It will be tried again.`;
        return { kind: 'unavailable', message };
      }
      if (closing) return stopping;
      await deps.pause(pollMs);
    }
  }

  /** With the lock held; null when the chain moved and must be looked at again. */
  async function refreshOnce(authorisationId: string, notThis: number | undefined): Promise<TokenAnswer | null> {
    const seen = await findAuthorisation(pool, authorisationId);
    if (seen === null || unusable(seen, authorisationId, xero.clientId) !== null) return null;
    const token = await stored(seen, notThis);
    if (token !== null) return token;
    const began = now();
    const refreshed = await refresh(deps, seen);
    if (refreshed.kind === 'moved') return null;
    if (refreshed.kind !== 'stored') return refreshed;
    // A late answer: Xero gave a newer pair to somebody else meanwhile, which is the one to use.
    if (!refreshed.inUse) return null;
    log.info({ authorisationId, generation: refreshed.generation, took: now() - began }, 'Access token refreshed');
    const { accessToken, lifeSeconds } = refreshed.tokens;
    return { ...remember(authorisationId, accessToken, refreshed.generation, lifeSeconds, lifeSeconds), isFresh: true };
  }

  /** One obtain at a time for each authorisation; whoever asks meanwhile gets its answer. */
  function share(authorisationId: string, notThis: number | undefined): Promise<TokenAnswer> {
    const running = inFlight.get(authorisationId);
    if (running !== undefined) return running;
    if (closing) return Promise.resolve(stopping);
    const begun = obtain(authorisationId, notThis).finally(() => inFlight.delete(authorisationId));
    inFlight.set(authorisationId, begun);
    return underWay.track(begun);
  }

  const self = {
    /** An access token that lives a while yet. Throws only what `signal` carries, and when Postgres or a key fails. */
    async accessToken(authorisationId: string, ask: Ask = {}): Promise<TokenAnswer> {
      const { anew = false, signal } = ask;
      signal?.throwIfAborted();
      if (ask.notThis !== undefined) rejected.set(authorisationId, ask.notThis);
      const notThis = rejected.get(authorisationId);
      const known = cache.get(authorisationId);
      if (!anew && known !== undefined && known.generation !== notThis && now() < known.freshUntil) {
        const { kind, accessToken, generation, isFresh } = known;
        return { kind, accessToken, generation, isFresh };
      }
      const answer = await untilAborted(share(authorisationId, notThis), signal);
      // Shared with somebody who asked before Xero rejected this generation: ask for ourselves, once.
      const unwanted = answer.kind === 'token' && answer.generation === notThis;
      return unwanted ? untilAborted(share(authorisationId, notThis), signal) : answer;
    },

    /**
     * To be called each minute and at start: follows up refreshes whose answer nobody stored, removes worthless tokens.
     * Returns how many authorisations were refreshed and how many could not be.
     */
    sweep(): Promise<Swept> {
      const sweeping = async () => {
        const swept = await followUp(pool, log, now, share);
        await pruneTokens(pool);
        return swept;
      };
      return underWay.track(sweeping());
    },

    /** To be called each day: refreshes idle authorisations, which Xero forgets after 60 days. */
    keepAlive(): Promise<Swept> {
      return keepAlive(pool, log, share);
    },

    /** To be called each day: ends consents of which no connection was made within hours. Returns how many. */
    endAbandoned(): Promise<number> {
      return endAbandoned({ pool, apiUrl: xero.apiUrl, now, log, tokens: self });
    },

    /**
     * Revokes an authorisation at Xero, which ends ALL connections of that Xero user to this app, and forgets its
     * tokens. Only where no link of that user is left at Xero, as it may be another installation's. False when Xero could
     * not be told; nothing changes then.
     */
    async revoke(authorisationId: string): Promise<boolean> {
      const seen = await findAuthorisation(pool, authorisationId);
      if (seen === null || seen.sealed === null) return true;
      const { refreshToken } = await openPair(keys, seen.clientId, authorisationId, seen);
      if (refreshToken !== null && !(await deps.endpoint.revoke(refreshToken))) return false;
      await endAuthorisation(pool, authorisationId, 'Revoked at Xero.');
      cache.delete(authorisationId);
      return true;
    },

    /**
     * To be called before the pool is ended: begins no refresh any more, and waits for those under way, as this process has
     * the only copy of what Xero answers. What takes longer than half a minute is left to another process's sweep.
     */
    close(): Promise<void> {
      closing = true;
      return underWay.settled(closeWithinMs);
    },
  };
  return self;
}

/** Refresh 5 minutes before the end; a sixth of the life for tokens that live shorter than Xero's 30 minutes. */
function marginSeconds(lifeSeconds: number): number {
  return Math.min(300, lifeSeconds / 6);
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', stop));
}
