/** What the seal of a callback belongs to, which the connect page hands to a terminal. */
export function handoverBinding(stateHash: Buffer): string[] {
  return ['callback for a terminal', stateHash.toString('hex')];
}

/** What the admin's browser shows when a terminal goes on with the consent, whoever served the callback. */
export const goesOnInTerminal = 'Xero has answered. Daybook goes on in the terminal; you can close this page.';
