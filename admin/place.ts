import type pg from 'pg';
import type { XeroApp } from '../model/xero-app.ts';
import { createKeyRing, type KeyRing } from '../xero/sealing.ts';
import type { Tokens } from '../xero/tokens.ts';
import { createTokens } from '../xero/tokens.ts';

/** What the acts of an admin need. */
export interface AdminPlace {
  pool: pg.Pool;
  xero: XeroApp;
  /** As in DAYBOOK_TOKEN_KEYS. */
  tokenKeys: string;
  /** Who acts, for the audit: the operating system's user, or the session on the connect page. */
  actor: string;
  /** Milliseconds since 1970. */
  now: () => number;
}

export function keysOf({ tokenKeys }: Pick<AdminPlace, 'tokenKeys'>): KeyRing {
  return createKeyRing(tokenKeys);
}

/** Access tokens for the admin's own calls to Xero. */
export function tokensOf(place: AdminPlace): Tokens {
  const { pool, xero, now } = place;
  const log = { info() {}, warn() {}, error() {} };
  return createTokens({ pool, xero, keys: keysOf(place), now, log });
}
