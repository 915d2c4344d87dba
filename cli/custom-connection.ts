import { ConfigurationError } from '../config/config.ts';
import { ensureCustomAuthorisation } from '../storage/authorisations.ts';
import { createKeyRing } from '../xero/sealing.ts';
import { createTokens, type Tokens } from '../xero/tokens.ts';
import { type Connected, type ConnectPlace, nameOrganisation, type Wanted } from './connect-organisation.ts';

/**
 * Connects the one organisation of a custom connection: the Xero app of XERO_CLIENT_ID, which its owner authorised at Xero,
 * speaks for itself (client_credentials), without a consent page and without a refresh token that could be lost.
 * @throws ConfigurationError with a sentence for the admin when it comes to nothing; nothing is connected then.
 */
export async function connectCustom(place: ConnectPlace, wanted: Wanted): Promise<Connected> {
  const { pool, xero } = place;
  const authorisationId = await ensureCustomAuthorisation(pool, xero.clientId, xero.scopes);
  const token = await tokensOf(place).accessToken(authorisationId);
  if (token.kind !== 'token') {
    throw new ConfigurationError(
      `${token.message} A custom connection is a Xero app of its own kind: give its client id and secret in XERO_CLIENT_ID and XERO_CLIENT_SECRET, and its scopes in XERO_SCOPES.`,
    );
  }
  return nameOrganisation(place, wanted, { authorisationId, accessToken: token.accessToken, authEventId: null });
}

/** Access tokens for a command: what it stores is found by the workers, and the other way round. */
export function tokensOf({ pool, xero, tokenKeys }: ConnectPlace): Tokens {
  const silent = { info() {}, warn() {}, error() {} };
  return createTokens({ pool, xero, keys: createKeyRing(tokenKeys), now: () => Date.now(), log: silent });
}
