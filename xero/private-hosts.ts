import { isSafeAddress, isThisMachine } from '../model/safe-address.ts';

/** Whether an address stays on this machine. */
export function isLoopback(address: string): boolean {
  return isThisMachine(new URL(address).hostname);
}

/** Throws a sentence naming the variable when an address would carry a token in the clear, and nobody has allowed it. */
export function requirePrivate(variable: string, address: string, allowHttp = false): void {
  if (isSafeAddress(address, allowHttp)) return;
  throw new Error(
    `${variable} is ${address}, but tokens must not travel in the clear. Use https; http is accepted on this machine only, or with XERO_ALLOW_HTTP=true for a simulator of Xero.`,
  );
}
