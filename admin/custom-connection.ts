import { ensureCustomAuthorisation, findAuthorisation } from '../storage/authorisations.ts';
import { findConnection } from '../storage/connections.ts';
import { type ConnectedByConsent, connectNamed, type NamedOrganisation } from './connect.ts';
import { type Consented, reachOf } from './consent.ts';
import { requireGoodNames } from './names.ts';
import { type AdminPlace, tokensOf } from './place.ts';
import { ActRefused } from './refused.ts';

/**
 * Connects the one organisation of a custom connection: the Xero app of XERO_CLIENT_ID, which its owner authorised at Xero,
 * speaks for itself (client_credentials), without a consent page and without a refresh token that could be lost.
 * @throws ActRefused with a sentence for the admin when it comes to nothing; nothing is connected then.
 */
export async function connectCustom(place: AdminPlace, wanted: NamedOrganisation): Promise<ConnectedByConsent> {
  requireGoodNames(wanted);
  const reach = await reachOfApp(place);
  return { ...(await connectNamed(place, reach, wanted)), uncovered: reach.uncovered };
}

/** Whether a connection is there already as a custom one of the configured app: it is reconnected without a consent, too. */
export async function isCustom({ pool, xero }: AdminPlace, name: string): Promise<boolean> {
  const connection = await findConnection(pool, name);
  const authorisation = connection && (await findAuthorisation(pool, connection.authorisationId));
  return authorisation?.kind === 'custom' && authorisation.clientId === xero.clientId;
}

/** What stands in for a consent: the app's own token, and its organisation. @throws ActRefused when Xero gives none. */
export async function reachOfApp(place: AdminPlace): Promise<Consented> {
  const { pool, xero } = place;
  const authorisationId = await ensureCustomAuthorisation(pool, xero.clientId, xero.scopes);
  const token = await tokensOf(place).accessToken(authorisationId);
  if (token.kind !== 'token') {
    throw new ActRefused(
      `${token.message} A custom connection is a Xero app of its own kind: give its client id and secret in XERO_CLIENT_ID and XERO_CLIENT_SECRET, and its scopes in XERO_SCOPES.`,
    );
  }
  return reachOf(place, { authorisationId, accessToken: token.accessToken, authEventId: null });
}
