import type { Authorisation } from '../storage/authorisations.ts';
import type { TokenAnswer } from './tokens.ts';

/** Why no token can be had of an authorisation as it stands; null when one can. */
export function unusable(seen: Authorisation | null, authorisationId: string, clientId: string): TokenAnswer | null {
  if (seen === null) return missing();
  if (seen.clientId !== clientId) {
    // A mistake in the configuration is mended there; no consent is lost by it.
    const message = `Authorisation ${authorisationId} was given to another Xero app (${seen.clientId}) than the one in XERO_CLIENT_ID (${clientId}). Restore the former app, or connect its organisations again with \`daybook connect\`.`;
    return { kind: 'unavailable', message };
  }
  if (seen.status === 'active') return null;
  return { kind: 'needsReconnect', message: seen.message ?? 'Its consent was not completed.' };
}

export function missing(): TokenAnswer {
  return { kind: 'needsReconnect', message: 'Its consent is not there any more.' };
}
