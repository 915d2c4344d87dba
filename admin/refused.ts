// Apart from what the acts need to reach Xero, so that whoever only shows a refusal starts without it.

import { noSuchConnection } from '../model/refused-use.ts';

/**
 * An act that was not done; the message is a sentence for the admin with the remedy. Nothing changed, unless it says what did.
 */
export class ActRefused extends Error {
  override name = 'ActRefused';
}

export function unknownConnection(name: string): ActRefused {
  return new ActRefused(noSuchConnection(name));
}
