import { noteCoverage, type Uncovered } from '../storage/coverage.ts';
import { createConnections, type XeroConnection } from '../xero/connections.ts';
import { type Callback, type Consent, createOAuth } from '../xero/oauth.ts';
import type { Secret } from '../xero/secret.ts';
import { storeAuthorisation } from '../xero/store-authorisation.ts';
import { type AdminPlace, keysOf } from './place.ts';
import { ActRefused } from './refused.ts';

/** An organisation that a consent reaches. */
export interface Organisation {
  tenantId: string;
  tenantName: string;
  /** Of the link at Xero, which DELETE /connections names. */
  xeroConnectionId: string;
  /** Whether this consent named it; the others are from earlier consents of the same Xero user. */
  ofThisConsent: boolean;
}

/** What an authorisation reaches. */
export interface Reach {
  authorisationId: string;
  organisations: Organisation[];
  /** What else Xero lists: those have no ledger. */
  practices?: Pick<Organisation, 'tenantId' | 'tenantName'>[];
}

/** A consent whose tokens are stored; no new connection uses it yet. */
export interface Consented extends Reach {
  /** Connections of the same Xero user whose organisations it does not cover: they need to be reconnected. */
  uncovered: Uncovered[];
}

/**
 * Where the admin's browser goes to consent, with what must be kept until it comes back.
 * @throws ActRefused when the consent would be of no use.
 */
export async function beginConsent({ xero, now }: AdminPlace): Promise<Consent> {
  if (!xero.scopes.includes('offline_access')) {
    throw new ActRefused(
      'XERO_SCOPES lacks offline_access, without which Xero gives no refresh token and a connection ends in half an hour. Add it, and begin again.',
    );
  }
  return createOAuth({ xero, now }).begin();
}

/**
 * Completes a consent: its tokens are sealed into Postgres, its organisations read from Xero. The same Xero user
 * consenting again renews the authorisation there is, with all connections that use it and whose organisations it covers.
 * @throws ActRefused when the consent was declined or cannot be used.
 */
export async function finishConsent(place: AdminPlace, callback: Callback): Promise<Consented> {
  const { pool, xero, now } = place;
  const exchange = () => createOAuth({ xero, now }).finish(callback);
  const authorised = await storeAuthorisation({ pool, clientId: xero.clientId, keys: keysOf(place), exchange });
  if (authorised.kind === 'refused') throw new ActRefused(authorised.message);
  return reachOf(place, authorised);
}

/**
 * The organisations an authorisation reaches. Its connections to others are written down to need a reconnect: a consent renews the
 * tokens of all, but Xero links only the organisations that were chosen.
 * @throws ActRefused when Xero does not say, or there is none.
 */
export async function reachOf(
  { pool, xero, now }: AdminPlace,
  authorised: { authorisationId: string; accessToken: Secret; authEventId: string | null },
): Promise<Consented> {
  const { accessToken, authEventId, authorisationId } = authorised;
  const answer = await createConnections({ apiUrl: xero.apiUrl, now }).list({ accessToken });
  if (answer.kind !== 'answered') throw new ActRefused(answer.message);
  const practices = answer.connections.filter((each) => !isOrganisation(each));
  const organisations = answer.connections.filter(isOrganisation).map((each) => ({
    tenantId: each.tenantId,
    tenantName: each.tenantName,
    xeroConnectionId: each.id,
    ofThisConsent: authEventId !== null && each.authEventId === authEventId,
  }));
  const tenantIds = organisations.map(({ tenantId }) => tenantId);
  const uncovered = await noteCoverage(pool, authorisationId, tenantIds);
  if (organisations.length === 0) {
    const [practice] = practices;
    const only = practice === undefined ? '' : ` ${practice.tenantName} is a practice, which has no ledger to import.`;
    throw new ActRefused(`This consent covers no organisation.${only} Choose one on Xero’s consent page.`);
  }
  return { authorisationId, organisations, practices, uncovered };
}

/** Practices have no ledger. */
function isOrganisation({ tenantType }: XeroConnection): boolean {
  return tenantType.toUpperCase() === 'ORGANISATION';
}

/**
 * The organisation meant, or null when the admin has to choose. /connections lists every organisation the user ever
 * authorised for the app, so the consent's own are told by its authentication event; never by the order of a list.
 */
export function meantBy(organisations: readonly Organisation[]): Organisation | null {
  const own = organisations.filter(({ ofThisConsent }) => ofThisConsent);
  const candidates = own.length > 0 ? own : organisations;
  return candidates.length === 1 ? (candidates[0] ?? null) : null;
}
