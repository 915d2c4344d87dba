import { findAuthorisation } from '../storage/authorisations.ts';
import { createXeroApi } from '../xero/api.ts';
import { type Entitlement, probeEntitlement } from '../xero/entitlement.ts';
import type { Connected } from './connect.ts';
import { type AdminPlace, tokensOf } from './place.ts';

/** What can be imported through a new connection. Nothing that is found here prevents connecting. */
export async function entitlementsOf(
  place: AdminPlace,
  { authorisationId, tenantId }: Connected,
): Promise<Entitlement[]> {
  const token = await tokensOf(place).accessToken(authorisationId);
  if (token.kind !== 'token') return [];
  const scopes = (await findAuthorisation(place.pool, authorisationId))?.scopes ?? [];
  const api = createXeroApi({ apiUrl: place.xero.apiUrl, timeoutMs: 20_000, now: () => Date.now() });
  try {
    const signal = AbortSignal.timeout(30_000);
    return await probeEntitlement(api, { tenantId, accessToken: token.accessToken, scopes, signal });
  } finally {
    api.close();
  }
}
