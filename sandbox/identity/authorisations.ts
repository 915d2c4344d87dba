import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Authorisation, Connection, RefreshToken, State } from './state.ts';

interface CodeGrant {
  readonly code: string;
  readonly authorisation: Authorisation;
  readonly redirectUri: string;
  readonly challenge?: string;
  readonly expiresAt: number;
  used: boolean;
}

/** Consents, connections, codes and refresh tokens; whatever changes is saved before it is answered. */
export interface Authorisations {
  grant(asked: {
    clientId: string;
    userId: string;
    scopes: string[];
    tenantIds: string[];
    nonce?: string;
  }): Authorisation;
  issueCode(code: Omit<CodeGrant, 'code' | 'used'>): string;
  findCode(code: string): CodeGrant | undefined;
  byEvent(authEventId: string): Authorisation | undefined;
  all(): readonly Authorisation[];
  addRefreshToken(token: RefreshToken): void;
  refreshToken(token: string): RefreshToken | undefined;
  refreshTokens(): IterableIterator<RefreshToken>;
  /** Ends one chain of tokens and, as Xero's revocation does, drops all of that user's connections to the app. */
  revoke(authorisation: Authorisation): void;
  connections(clientId: string, userId: string): Connection[];
  isConnected(clientId: string, userId: string, tenantId: string): boolean;
  /** False when there is no such connection of this user and app. */
  disconnect(id: string, clientId: string, userId: string): boolean;
  /** Cuts an organisation off from outside, as when a Xero user disconnects the app there. */
  disconnectTenant(tenantId: string): void;
  saved(): void;
}

/** @param save writes the state away; absent when nothing is kept over a restart. */
export function authorisations(state: State, clock: Clock, save?: () => void): Authorisations {
  const codes = new Map<string, CodeGrant>();
  const events = new Map(state.authorisations.map((each) => [each.authEventId, each]));
  const refresh = new Map(state.refreshTokens.map((each) => [each.token, each]));

  function persist(): void {
    if (!save) return;
    state.refreshTokens = [...refresh.values()];
    save();
  }

  function connect(authorisation: Authorisation, tenantId: string): void {
    const { clientId, userId, authEventId } = authorisation;
    const now = clock.now();
    const known = state.connections.find(
      (each) => each.clientId === clientId && each.userId === userId && each.tenantId === tenantId,
    );
    if (known) {
      if (known.deleted) known.id = randomUUID();
      Object.assign(known, { authEventId, updated: now, deleted: false });
      return;
    }
    state.connections.push({
      id: randomUUID(),
      clientId,
      userId,
      tenantId,
      authEventId,
      created: now,
      updated: now,
      deleted: false,
    });
  }

  const self: Authorisations = {
    grant({ clientId, userId, scopes, tenantIds, nonce }) {
      const authorisation: Authorisation = {
        authEventId: randomUUID(),
        sessionId: randomUUID().replaceAll('-', ''),
        clientId,
        userId,
        scopes,
        consentedAt: clock.wall(),
        revoked: false,
        ...(nonce === undefined ? {} : { nonce }),
      };
      state.authorisations.push(authorisation);
      events.set(authorisation.authEventId, authorisation);
      for (const tenantId of tenantIds) connect(authorisation, tenantId);
      persist();
      return authorisation;
    },
    issueCode(grant) {
      const code = randomUUID().replaceAll('-', '');
      codes.set(code, { ...grant, code, used: false });
      return code;
    },
    findCode: (code) => codes.get(code),
    byEvent: (authEventId) => events.get(authEventId),
    all: () => state.authorisations,
    addRefreshToken(token) {
      refresh.set(token.token, token);
      persist();
    },
    refreshToken: (token) => refresh.get(token),
    refreshTokens: () => refresh.values(),
    revoke(authorisation) {
      authorisation.revoked = true;
      for (const each of state.connections) {
        if (each.clientId === authorisation.clientId && each.userId === authorisation.userId) each.deleted = true;
      }
      persist();
    },
    connections: (clientId, userId) =>
      state.connections.filter((each) => !each.deleted && each.clientId === clientId && each.userId === userId),
    isConnected: (clientId, userId, tenantId) =>
      self.connections(clientId, userId).some((each) => each.tenantId === tenantId),
    disconnect(id, clientId, userId) {
      const found = self.connections(clientId, userId).find((each) => each.id === id);
      if (!found) return false;
      found.deleted = true;
      persist();
      return true;
    },
    disconnectTenant(tenantId) {
      for (const each of state.connections) if (each.tenantId === tenantId) each.deleted = true;
      persist();
    },
    saved: persist,
  };
  return self;
}
