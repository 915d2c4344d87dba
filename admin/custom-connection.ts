import { ensureCustomAuthorisation } from '../storage/authorisations.ts';
import { type Connected, connectNamed, type Wanted } from './connect.ts';
import { reachOf } from './consent.ts';
import { requireGoodNames } from './names.ts';
import { type AdminPlace, tokensOf } from './place.ts';
import { ActRefused } from './refused.ts';

/**
 * Connects the one organisation of a custom connection: the Xero app of XERO_CLIENT_ID, which its owner authorised at Xero,
 * speaks for itself (client_credentials), without a consent page and without a refresh token that could be lost.
 * @throws ActRefused with a sentence for the admin when it comes to nothing; nothing is connected then.
 */
export async function connectCustom(place: AdminPlace, wanted: Wanted): Promise<Connected> {
  requireGoodNames(wanted);
  const { pool, xero } = place;
  const authorisationId = await ensureCustomAuthorisation(pool, xero.clientId, xero.scopes);
  const token = await tokensOf(place).accessToken(authorisationId);
  if (token.kind !== 'token') {
    throw new ActRefused(
      `${token.message} A custom connection is a Xero app of its own kind: give its client id and secret in XERO_CLIENT_ID and XERO_CLIENT_SECRET, and its scopes in XERO_SCOPES.`,
    );
  }
  const consented = await reachOf(place, { authorisationId, accessToken: token.accessToken, authEventId: null });
  return connectNamed(place, consented, wanted);
}
