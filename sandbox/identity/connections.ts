import { notFound } from '../dialects.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import type { Authorisations } from './authorisations.ts';
import type { Access } from './tokens.ts';

/** ISO without a zone and with seven digits of fraction, as `/connections` writes times: `2019-12-07T18:46:19.5165400`. */
const connectionTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}0000`;

/** `GET /connections`: every organisation this user ever connected to this app, oldest first; of a custom connection, its one. */
export function listConnections(
  held: Authorisations,
  access: Access,
  nameOf: (tenantId: string) => string,
  authEventId: string | null,
): Answer {
  const found =
    access.tenantId === undefined ? held.connections(access.clientId, access.userId ?? '') : [ofApp(access.tenantId)];
  return jsonAnswer(
    200,
    found
      .filter((each) => authEventId === null || each.authEventId === authEventId)
      .map((each) => ({
        id: each.id,
        authEventId: each.authEventId,
        tenantId: each.tenantId,
        tenantType: 'ORGANISATION',
        tenantName: nameOf(each.tenantId),
        createdDateUtc: connectionTime(each.created),
        updatedDateUtc: connectionTime(each.updated),
      })),
  );
}

function ofApp(tenantId: string) {
  return { id: tenantId, authEventId: null, tenantId, created: 0, updated: 0 };
}

/** `DELETE /connections/{id}`: 204, or 404 when it is gone or another user's. */
export function deleteConnection(held: Authorisations, access: Access, id: string): Answer {
  return held.disconnect(id, access.clientId, access.userId ?? '') ? { status: 204 } : notFound();
}
