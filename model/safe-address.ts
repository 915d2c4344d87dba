/** Whether a host, as a URL names it, is this machine. */
export function isThisMachine(host: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(host) || ['localhost', '::1', '[::1]'].includes(host);
}

/**
 * Whether a secret may be sent to an address: over TLS, or without it to this machine. `allowHttp` lets it go without to other
 * hosts too, for a simulator of Xero in a private network, but never to Xero's own.
 */
export function isSafeAddress(address: string, allowHttp = false): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  if (protocol === 'https:') return true;
  return protocol === 'http:' && (isThisMachine(hostname) || (allowHttp && !isXeros(hostname)));
}

function isXeros(host: string): boolean {
  return /(^|\.)xero\.com\.?$/.test(host);
}
