import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** One consent by one user: one rotating chain of refresh tokens. */
export interface Authorisation {
  readonly authEventId: string;
  readonly clientId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly scopes: string[];
  /** Milliseconds since 1970, machine clock. */
  readonly consentedAt: number;
  readonly nonce?: string;
  revoked: boolean;
}

export interface RefreshToken {
  readonly token: string;
  readonly authEventId: string;
  /** On the sandbox's clock: ms. */
  readonly issuedAt: number;
  usedAt?: number;
  revoked?: boolean;
  /** What it was exchanged for, newest last. */
  readonly successors: { accessToken: string; refreshToken: string }[];
}

/** An organisation that a user connected to an app. A deleted one is kept, for its first date. */
export interface Connection {
  id: string;
  readonly clientId: string;
  readonly userId: string;
  readonly tenantId: string;
  authEventId: string;
  readonly created: number;
  updated: number;
  deleted: boolean;
}

export interface State {
  privateKey?: string;
  /** What the books were made with: another day must not make other books for the same database. */
  booksNow?: number;
  /** The same of another number of journals. */
  booksJournals?: number;
  authorisations: Authorisation[];
  refreshTokens: RefreshToken[];
  connections: Connection[];
}

/** The state kept in a file. Throws when the file is there and cannot be read, rather than forgetting every consent. */
export function loadState(file: string | undefined): State {
  if (file === undefined || !existsSync(file)) return { authorisations: [], refreshTokens: [], connections: [] };
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as State;
  } catch (error) {
    throw new Error(`The sandbox's state file ${file} cannot be read; delete it to start afresh.`, { cause: error });
  }
}

/** Written whole beside the old file and renamed over it: a killed sandbox leaves one or the other. */
export function saveState(file: string, state: State): void {
  const fresh = `${file}.new`;
  writeFileSync(fresh, JSON.stringify(state), { mode: 0o600 });
  renameSync(fresh, file);
}
