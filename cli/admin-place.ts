import { userInfo } from 'node:os';
import type { AdminPlace } from '../admin/place.ts';
import { loadConfig } from '../config/config.ts';
import { reach } from './environment.ts';
import { withDatabase } from './servers.ts';

/** Who acts on the command line, for the audit. */
export function operator(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Gives a command what the acts of an admin need. */
export async function withAdminPlace<T>(work: (place: AdminPlace) => Promise<T>): Promise<T> {
  const found = reach(loadConfig(process.env));
  const [xero, tokenKeys] = [found.xero(), found.tokenKeys()];
  return withDatabase((pool) => work({ pool, xero, tokenKeys, actor: operator(), now: () => Date.now() }));
}
