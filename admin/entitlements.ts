import type { Entitlement } from '../model/entitlement.ts';
import { findAuthorisation } from '../storage/authorisations.ts';
import { storeEntitlements } from '../storage/entitlements.ts';
import { readLedger } from '../storage/quota.ts';
import { createXeroApi } from '../xero/api.ts';
import { probeEntitlement } from '../xero/entitlement.ts';
import type { Connected } from './connect.ts';
import { type AdminPlace, tokensOf } from './place.ts';

/** For one call; two are made at the most. */
const xeroTimeoutMs = 20_000;

/**
 * Tries what can be imported through a connection just made, and keeps it with the connection. Nothing that is found here, and
 * nothing that goes wrong here, prevents connecting: null when it could not be found out; empty when there is no access token
 * to try with.
 */
export function entitlementsOf(place: AdminPlace, connected: Connected): Promise<Entitlement[] | null> {
  return tryEntitlements(place, connected).catch(() => null);
}

/** In sentences, what a connection just made cannot be used for. */
export function lackingOf({ name }: Connected, found: Entitlement[] | null): string[] {
  if (found === null) return [`What "${name}" can be used for could not be tried now.`];
  return found.filter(({ works }) => works !== true).map(({ message }) => message);
}

async function tryEntitlements(
  place: AdminPlace,
  { name, authorisationId, tenantId }: Connected,
): Promise<Entitlement[]> {
  const token = await tokensOf(place).accessToken(authorisationId);
  if (token.kind !== 'token') return [];
  const scopes = (await findAuthorisation(place.pool, authorisationId))?.scopes ?? [];
  const api = createXeroApi({ apiUrl: place.xero.apiUrl, timeoutMs: xeroTimeoutMs, now: () => Date.now() });
  try {
    // Longer than both calls, each of which says by itself that no answer came.
    const signal = AbortSignal.timeout(2 * xeroTimeoutMs + 5_000);
    const call = { tenantId, accessToken: token.accessToken, signal };
    const refusedUntil = await refusedUntilOf(place, tenantId);
    const found = await probeEntitlement(api, { ...call, scopes, refusedUntil });
    await storeEntitlements(place.pool, name, found);
    return found;
  } finally {
    api.close();
  }
}

/** Until when Xero refuses calls, by a 429 that an import met: nobody asks before; null when it does not. */
async function refusedUntilOf({ pool, xero }: AdminPlace, tenantId: string): Promise<Date | null> {
  const scopes = [`tenant:${tenantId}`, `app:${xero.clientId}`] as const;
  const ledgers = await Promise.all(scopes.map((scope) => readLedger(pool, scope)));
  const until = Math.max(...ledgers.map(({ ledger }) => ledger.blockedUntil ?? 0));
  return until > Date.now() ? new Date(until) : null;
}
