/** The Xero app and the hosts it is spoken to at. Addresses end without a slash. */
export interface XeroConfig {
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  scopes: string[];
  apiUrl: string;
  identityUrl: string;
  loginUrl: string;
}

/**
 * Whether an address stays on this machine. Plain http is spoken to such hosts only: anywhere else a token would travel
 * readable.
 */
export function isLoopback(address: string): boolean {
  const { hostname } = new URL(address);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Throws a sentence naming the variable when an address would carry a token in the clear. */
export function requirePrivate(variable: string, address: string): void {
  if (new URL(address).protocol === 'https:' || isLoopback(address)) return;
  throw new Error(
    `${variable} is ${address}, but tokens must not travel in the clear. Use https; http is accepted on loopback only.`,
  );
}
