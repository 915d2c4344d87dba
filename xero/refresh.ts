import type pg from 'pg';
import { type Authorisation, findAuthorisation, requireReconnect } from '../storage/authorisations.ts';
import { inTransaction } from '../storage/pool.ts';
import { appendToken, beginAttempt, closeAttempt, listRungs, type Rung } from '../storage/token-chain.ts';
import { hasYoungAttempts } from '../storage/token-sweep.ts';
import type { KeyRing } from './sealing.ts';
import type { EndpointAnswer, TokenEndpoint } from './token-endpoint.ts';
import { openPair, type Pair, sealPair, type TokenSet } from './token-set.ts';

export interface RefreshDeps {
  pool: pg.Pool;
  keys: KeyRing;
  endpoint: TokenEndpoint;
  now: () => number;
  log: TokenLog;
  /** Waits; handed in so that tests need not. */
  pause: (milliseconds: number) => Promise<void>;
}

/** The part of a pino logger that is used. */
export interface TokenLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** `moved`: somebody else stored a pair meanwhile, so look again. */
export type Refreshed =
  | { kind: 'stored'; tokens: TokenSet; generation: number; inUse: boolean }
  | { kind: 'moved' }
  | { kind: 'needsReconnect'; message: string }
  | { kind: 'unavailable'; message: string };

/** A worker that was paused longer than this between its note and its call does not call any more. */
const sendWithinMs = 20_000;

/**
 * Gets a new pair for one authorisation and stores it: first by the token in use, then, only when Xero says
 * invalid_grant, by every earlier one that it may still take. Only when all are rejected, and nobody else is still
 * waiting for an answer, is a new consent needed. Whoever calls should hold the refresh lock; nothing is lost if not.
 */
export async function refresh(deps: RefreshDeps, seen: Authorisation): Promise<Refreshed> {
  const { authorisationId, generation } = seen;
  if (seen.kind === 'custom') {
    const refreshed = await attempt(deps, seen, 0, null);
    // No consent to renew: what ails client_credentials is the app or its settings.
    return refreshed.kind === 'rejected' ? unavailable(authorisationId, refreshed.message) : refreshed;
  }
  let why = '';
  for (const rung of await listRungs(deps.pool, authorisationId)) {
    const pair = await openRung(deps, seen, rung);
    if (pair === null) continue;
    const refreshed = await attempt(deps, seen, rung.generation, pair);
    if (refreshed.kind !== 'rejected') return refreshed;
    why = refreshed.message;
    deps.log.warn({ authorisationId, generation: rung.generation }, 'Xero rejected a refresh token');
    const current = await findAuthorisation(deps.pool, authorisationId);
    if (current?.generation !== generation) return { kind: 'moved' };
  }
  if (await hasYoungAttempts(deps.pool, authorisationId)) {
    const message = `Xero rejected every stored token of authorisation ${authorisationId}, but another worker's answer is still awaited. It will be tried again.`;
    return { kind: 'unavailable', message };
  }
  // What to do, and for which connection, is said by whoever needs the token.
  const message = `Xero does not accept the consent any more (revoked, unused for 60 days, or rotated elsewhere). ${why}`;
  const said = await requireReconnect(deps.pool, authorisationId, generation, message);
  if (!said) return { kind: 'moved' };
  deps.log.error(
    { authorisationId, generation },
    `${message} Connect its organisations again with \`daybook connect\`.`,
  );
  return { kind: 'needsReconnect', message };
}

/** An earlier pair that does not open (its key is gone) is passed over; without the one in use nothing can be said. */
async function openRung(deps: RefreshDeps, seen: Authorisation, rung: Rung): Promise<Pair | null> {
  try {
    return await openPair(deps.keys, seen.clientId, seen.authorisationId, rung);
  } catch (error) {
    if (rung.generation === seen.generation) throw error;
    deps.log.warn({ authorisationId: seen.authorisationId }, (error as Error).message);
    return null;
  }
}

type Attempted = Exclude<Refreshed, { kind: 'needsReconnect' }> | { kind: 'rejected'; message: string };

/** One call to the token endpoint, noted before and closed after. `rejected` is about this one token only. */
async function attempt(deps: RefreshDeps, seen: Authorisation, rung: number, pair: Pair | null): Promise<Attempted> {
  const { authorisationId, generation } = seen;
  const noted = deps.now();
  const attemptId = await beginAttempt(deps.pool, authorisationId, generation, rung);
  if (attemptId === null) return { kind: 'moved' };
  if (deps.now() - noted > sendWithinMs) {
    await closeAttempt(deps.pool, attemptId, 'refused');
    return {
      kind: 'unavailable',
      message: `This process was held up before it could refresh authorisation ${authorisationId}. It will be tried again.`,
    };
  }
  const answer = await ask(deps.endpoint, seen, pair);
  switch (answer.kind) {
    case 'tokens': {
      const tokens = { ...answer.tokens, refreshToken: answer.tokens.refreshToken ?? pair?.refreshToken ?? null };
      return { kind: 'stored', tokens, ...(await store(deps, seen, attemptId, tokens)) };
    }
    case 'uncertain':
      // Left open: the sweep follows it up within Xero's grace.
      return unavailable(authorisationId, answer.message);
    case 'invalidGrant':
      await closeAttempt(deps.pool, attemptId, 'rejected');
      return { kind: 'rejected', message: answer.message };
    default:
      await closeAttempt(deps.pool, attemptId, 'refused');
      if (answer.kind === 'misconfigured') deps.log.error({ authorisationId }, answer.message);
      return unavailable(authorisationId, answer.message);
  }
}

async function ask(endpoint: TokenEndpoint, seen: Authorisation, pair: Pair | null): Promise<EndpointAnswer> {
  if (seen.kind === 'custom') return endpoint.clientCredentials(seen.scopes);
  if (pair?.refreshToken) return endpoint.refresh(pair.refreshToken);
  return { kind: 'invalidGrant', message: 'The consent lacks offline_access, so its token cannot be refreshed.' };
}

function unavailable(authorisationId: string, message: string): { kind: 'unavailable'; message: string } {
  return { kind: 'unavailable', message: `No access token for authorisation ${authorisationId} now. ${message}` };
}

/** How long a pair is worth storing: after Xero's grace the old token is dead and the answer cannot be had again. */
const storeForMs = 25 * 60_000;

/**
 * Stores a pair, however long Postgres is away: until it is stored, this process has the only copy. A failure that
 * repeating cannot mend, such as that the process stops, and half an hour of others, are thrown; the sweep then tries the
 * old token again.
 */
async function store(deps: RefreshDeps, seen: Authorisation, attemptId: string, tokens: TokenSet) {
  const { authorisationId, clientId } = seen;
  const { issuedAt, lifeSeconds, scopes } = tokens;
  const seal = sealPair(deps.keys, clientId, tokens);
  const began = deps.now();
  for (let wait = 100; ; wait = Math.min(wait * 2, 5_000)) {
    try {
      return await inTransaction(deps.pool, (db) =>
        appendToken(db, {
          authorisationId,
          attemptId,
          seenGeneration: seen.generation,
          issuedAt,
          lifeSeconds,
          scopes,
          seal,
        }),
      );
    } catch (error) {
      if (isPermanent(error) || deps.pool.ending || deps.now() - began > storeForMs) throw error;
      deps.log.warn({ authorisationId, reason: (error as Error).message }, 'A new token cannot be stored yet');
      await deps.pause(wait);
    }
  }
}

/** SQLSTATE classes of statements that are wrong, in contrast to a server that is away. */
function isPermanent(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^(22|23|42)\w{3}$/.test(code);
}
