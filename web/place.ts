import type { Context } from 'hono';
import type pg from 'pg';
import type { AdminPlace } from '../admin/place.ts';
import type { XeroApp } from '../model/xero-app.ts';

/** What the connect page works on. */
export interface WebPlace {
  pool: pg.Pool;
  xero: XeroApp;
  /** As in DAYBOOK_TOKEN_KEYS. */
  tokenKeys: string;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Where the admin's browser finds the page, such as http://localhost:8088: no other host is answered. */
  origin: string;
  /** Opens the page to whoever knows it; null: only one-time links do. */
  password: string | null;
  /** Tells imports that waited for a consent to go on. Returns what to say of it. */
  resumeWaiting(workflowIds: string[]): Promise<string | null>;
  /** The Schedules that fail as a connection was removed, or applications were taken off it; in sentences. */
  schedulesLeft(of: { connection: string; applications?: string[] }): Promise<string[]>;
  /** Gets what went wrong unexpectedly, for the log; never an address, which may hold a secret. */
  onError(error: Error): void;
}

/** Who is on the page. */
export interface Visitor {
  /** For the audit: how the session was opened, and by whom. */
  actor: string;
  sessionHash: Buffer;
  /** What the forms of this session carry. */
  formToken: string;
}

/** What the guard leaves with each request: the visitor, once there is a session. */
export type WebEnv = { Variables: { visitor: Visitor } };
export type WebContext = Context<WebEnv>;

/** The page's own part of what the acts of an admin need. */
export function adminPlace({ pool, xero, tokenKeys, now }: WebPlace, { actor }: Visitor): AdminPlace {
  return { pool, xero, tokenKeys, actor, now };
}
