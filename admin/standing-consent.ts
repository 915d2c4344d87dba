import { authorisationsWith } from '../storage/authorisations.ts';
import { findConnection } from '../storage/connections.ts';
import { type ConnectedByConsent, connectNamed, type NamedOrganisation } from './connect.ts';
import { type Consented, reachOf } from './consent.ts';
import { requireGoodNames } from './names.ts';
import { type AdminPlace, tokensOf } from './place.ts';
import { ActRefused } from './refused.ts';

/** Each may cost a refresh and a call; who has more has given the consent in question lately. */
const mostAsked = 10;

/**
 * Connects an organisation by a consent that was given before and reaches it, too: one that covers many is stored with the first
 * connection, or when it was not said which organisation was meant. Null where a consent is needed: no organisation is named, the
 * name is there already (who gives it again wants a new consent), or none that has these scopes reaches it.
 * @throws ActRefused when the names are none.
 */
export async function connectWithoutConsent(
  place: AdminPlace,
  wanted: NamedOrganisation,
): Promise<ConnectedByConsent | null> {
  requireGoodNames(wanted);
  const { tenantId, name } = wanted;
  if (tenantId === undefined || (await findConnection(place.pool, name)) !== null) return null;
  const { clientId, scopes } = place.xero;
  for (const authorisationId of await authorisationsWith(place.pool, { clientId, scopes, limit: mostAsked })) {
    const reach = await reachNow(place, authorisationId);
    if (!reach?.organisations.some((each) => each.tenantId === tenantId)) continue;
    return { ...(await connectNamed(place, reach, wanted)), uncovered: reach.uncovered };
  }
  return null;
}

/** What an authorisation reaches at this moment; null where it, or Xero, gives no answer: a new consent is the way then. */
async function reachNow(place: AdminPlace, authorisationId: string): Promise<Consented | null> {
  const token = await tokensOf(place).accessToken(authorisationId);
  if (token.kind !== 'token') return null;
  const { accessToken } = token;
  return reachOf(place, { authorisationId, accessToken, authEventId: null }).catch((error: unknown) => {
    if (error instanceof ActRefused) return null;
    throw error;
  });
}
