import type { Entitlement } from '../model/entitlement.ts';
import { findAuthorisation } from '../storage/authorisations.ts';
import { findConnection } from '../storage/connections.ts';
import { storeEntitlements } from '../storage/entitlements.ts';
import { createXeroApi } from '../xero/api.ts';
import { probeEntitlement } from '../xero/entitlement.ts';
import type { Connected } from './connect.ts';
import { type AdminPlace, tokensOf } from './place.ts';
import { createTrialCalls } from './trial-calls.ts';

/** For one call; two are made at the most. */
const xeroTimeoutMs = 20_000;

/**
 * Tries what can be imported through a connection just made, and keeps it with the connection; what could be imported before and
 * cannot be tried now is taken to be as it was. Nothing that is found here, and
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
  const api = createXeroApi({ apiUrl: place.xero.apiUrl, timeoutMs: xeroTimeoutMs, now: place.now });
  try {
    // Longer than both calls, each of which says by itself that no answer came, and the wait for their places.
    const signal = AbortSignal.timeout(2 * xeroTimeoutMs + 10_000);
    const ask = createTrialCalls(place, tenantId);
    const tried = await probeEntitlement(api, { tenantId, accessToken: token.accessToken, scopes, signal, ask });
    const known = (await findConnection(place.pool, name))?.entitlements ?? [];
    const stands = ({ what }: Entitlement) => known.find((each) => each.what === what && each.works === true);
    const found = tried.map((each) => ({ each, before: each.works === null ? stands(each) : undefined }));
    await storeEntitlements(
      place.pool,
      name,
      found.filter(({ before }) => before === undefined).map(({ each }) => each),
    );
    return found.map(({ each, before }) => before ?? each);
  } finally {
    api.close();
  }
}
