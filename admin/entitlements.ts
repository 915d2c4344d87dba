import type { Entitlement } from '../model/entitlement.ts';
import { findAuthorisation } from '../storage/authorisations.ts';
import { storeEntitlements } from '../storage/entitlements.ts';
import { createXeroApi } from '../xero/api.ts';
import { probeEntitlement } from '../xero/entitlement.ts';
import type { Connected } from './connect.ts';
import { type AdminPlace, tokensOf } from './place.ts';

/**
 * Tries what can be imported through a connection just made, and keeps it with the connection. Nothing that is found here
 * prevents connecting; empty when there is no access token to try with.
 */
export async function entitlementsOf(
  place: AdminPlace,
  { name, authorisationId, tenantId }: Connected,
): Promise<Entitlement[]> {
  const token = await tokensOf(place).accessToken(authorisationId);
  if (token.kind !== 'token') return [];
  const scopes = (await findAuthorisation(place.pool, authorisationId))?.scopes ?? [];
  const api = createXeroApi({ apiUrl: place.xero.apiUrl, timeoutMs: 20_000, now: () => Date.now() });
  try {
    const signal = AbortSignal.timeout(30_000);
    const found = await probeEntitlement(api, { tenantId, accessToken: token.accessToken, scopes, signal });
    await storeEntitlements(place.pool, name, found);
    return found;
  } finally {
    api.close();
  }
}
