import type pg from 'pg';
import { ConfigurationError, type XeroSettings } from '../config/config.ts';
import { storeConnection } from '../storage/connections.ts';
import { createConnections, type XeroConnection } from '../xero/connections.ts';
import { createOAuth } from '../xero/oauth.ts';
import { createKeyRing } from '../xero/sealing.ts';
import type { Secret } from '../xero/secret.ts';
import { storeAuthorisation } from '../xero/store-authorisation.ts';
import { requireGoodNames } from './names.ts';

export interface Wanted {
  name: string;
  applications: string[];
  /** Which organisation, when the consent covers several. */
  tenantId?: string | undefined;
}

export interface Connected extends Wanted {
  authorisationId: string;
  tenantId: string;
  tenantName: string;
}

export interface ConnectPlace {
  pool: pg.Pool;
  xero: XeroSettings;
  tokenKeys: string;
}

/**
 * Connects an organisation under a name: consent, tokens (sealed into Postgres), the organisation, the applications.
 * `consent` takes the admin to Xero's consent page and returns the address Xero sends the browser back to.
 * @throws ConfigurationError with a sentence for the admin when it comes to nothing; nothing is connected then.
 */
export async function connectOrganisation(
  { pool, xero, tokenKeys }: ConnectPlace,
  wanted: Wanted,
  consent: (address: string) => Promise<string>,
): Promise<Connected> {
  requireGoodNames(wanted);
  const now = () => Date.now();
  const keys = createKeyRing(tokenKeys);
  const oauth = createOAuth({ xero, now });
  const begun = await oauth.begin();
  const callbackUrl = await consent(begun.address);
  const exchange = () => oauth.finish({ callbackUrl, state: begun.state, codeVerifier: begun.codeVerifier });
  const authorised = await storeAuthorisation({ pool, clientId: xero.clientId, keys, exchange });
  if (authorised.kind === 'refused') throw new ConfigurationError(authorised.message);

  return nameOrganisation({ pool, xero, tokenKeys }, wanted, authorised);
}

/** Gives the organisation that an authorisation reaches its name and its applications. */
export async function nameOrganisation(
  { pool, xero }: ConnectPlace,
  wanted: Wanted,
  authorised: { authorisationId: string; accessToken: Secret; authEventId: string | null },
): Promise<Connected> {
  requireGoodNames(wanted);
  const now = () => Date.now();
  const answer = await createConnections({ apiUrl: xero.apiUrl, now }).list({ accessToken: authorised.accessToken });
  if (answer.kind !== 'answered') throw new ConfigurationError(answer.message);
  const chosen = choose(answer.connections, authorised.authEventId, wanted.tenantId);
  const { authorisationId } = authorised;
  const { tenantId, tenantName } = chosen;
  const stored = await storeConnection(pool, {
    ...wanted,
    authorisationId,
    tenantId,
    tenantName,
    xeroConnectionId: chosen.id,
  });
  if (stored === null) {
    throw new ConfigurationError(
      `The name "${wanted.name}" belongs to another organisation than "${tenantName}". Choose another name, or remove that connection first.`,
    );
  }
  return { ...wanted, authorisationId, tenantId, tenantName };
}

/**
 * The organisation of this consent. /connections lists every organisation the user ever authorised for the app, so the
 * consent's own are told by its authentication event; among several the admin chooses, never the order of a list.
 */
function choose(all: XeroConnection[], authEventId: string | null, tenantId: string | undefined): XeroConnection {
  const organisations = all.filter((each) => each.tenantType.toUpperCase() === 'ORGANISATION');
  const ofThisConsent = organisations.filter((each) => authEventId !== null && each.authEventId === authEventId);
  const candidates = ofThisConsent.length > 0 && tenantId === undefined ? ofThisConsent : organisations;
  const chosen = tenantId === undefined ? candidates : candidates.filter((each) => each.tenantId === tenantId);
  const [only] = chosen;
  if (only && chosen.length === 1) return only;
  const list = candidates.map((each) => `\n  --tenant ${each.tenantId}   ${each.tenantName}`).join('');
  if (candidates.length === 0)
    throw new ConfigurationError('This consent covers no organisation. Choose one on Xero’s consent page.');
  throw new ConfigurationError(
    tenantId === undefined
      ? `The consent covers several organisations. Run it again with one of them:${list}`
      : `The consent does not cover the tenant ${tenantId}. It covers:${list}`,
  );
}
