import { recordAct } from '../storage/audit.ts';
import { endAuthorisation, findAuthorisation } from '../storage/authorisations.ts';
import { type Connection, findLink, type Link, removeConnection } from '../storage/connections.ts';
import { inTransaction } from '../storage/pool.ts';
import { workflowsWaitingOn } from '../storage/waiting-workflows.ts';
import { createConnections } from '../xero/connections.ts';
import { described } from './connect.ts';
import { type AdminPlace, tokensOf } from './place.ts';
import { ActRefused, unknownConnection } from './refused.ts';
import { requireConnection } from './registry.ts';

/** What became of the link at Xero: `ended`, `shared` with another connection of ours, or `kept`; the whole in sentences. */
export interface Disconnected {
  atXero: 'ended' | 'shared' | 'kept';
  message: string;
  /** Workflow ids of what waited on the connection: told to look again, it ends. */
  waiting: string[];
}

/**
 * Disconnects an organisation: its link is ended at Xero, where it counts until then, and the connection is forgotten
 * here; what it imported stays. The tokens are revoked only with the last connection of their authorisation, as Xero's
 * revocation ends all connections of that Xero user. `keepAtXero` leaves Xero out: the last connection's tokens are then
 * forgotten here only.
 * @throws ActRefused when there is no such connection, or Xero does not answer; nothing changes then.
 */
export async function disconnect(place: AdminPlace, name: string, keepAtXero = false): Promise<Disconnected> {
  const { pool, actor } = place;
  const connection = await requireConnection(pool, name);
  const link = await findLink(pool, connection.connectionId);
  // Removed by somebody else in this very moment.
  if (link === null) throw unknownConnection(name);
  const waiting = await workflowsWaitingOn(pool, connection.connectionId);
  const atXero = keepAtXero ? left(name) : await endAtXero(place, connection, link);
  await inTransaction(pool, async (db) => {
    await removeConnection(db, connection.connectionId);
    const last = keepAtXero && link.siblings === 0;
    if (last && (await findAuthorisation(db, connection.authorisationId))?.kind === 'oauth') {
      await endAuthorisation(db, connection.authorisationId, 'Forgotten here; Xero was not told.');
    }
    const after = { atXero: atXero.atXero };
    await recordAct(db, { actor, act: 'disconnect', subject: name, before: described(connection), after });
  });
  return {
    ...atXero,
    waiting,
    message: `"${name}" is removed. ${atXero.message} What was imported through it stays in the database.`,
  };
}

type AtXero = Pick<Disconnected, 'atXero' | 'message'>;

async function endAtXero(
  place: AdminPlace,
  { name, authorisationId, tenantId }: Connection,
  link: Link,
): Promise<AtXero> {
  const tokens = tokensOf(place);
  if (link.sharedBy > 0) {
    return {
      atXero: 'shared',
      message: 'Another connection uses the same organisation, so it stays connected at Xero.',
    };
  }
  const token = await tokens.accessToken(authorisationId);
  if (token.kind === 'needsReconnect') {
    return {
      atXero: 'kept',
      message: `Xero could not be told, as the authorisation is lost: see in Xero whether the app is still among its connected apps.`,
    };
  }
  if (token.kind === 'unavailable') throw unheard(name, token.message);
  const { accessToken } = token;
  const connections = createConnections({ apiUrl: place.xero.apiUrl, now: () => Date.now(), timeoutMs: 20_000 });
  const linked = await connections.list({ accessToken });
  if (linked.kind !== 'answered') throw unheard(name, linked.message);
  // As Xero has it now: a link that was ended there and allowed again has another id than when this connection was made.
  for (const { id } of linked.connections.filter((each) => each.tenantId === tenantId)) {
    const answer = await connections.remove({ accessToken, id });
    if (answer.kind !== 'deleted') throw unheard(name, answer.message);
  }
  // A custom connection has no consent to revoke: its app speaks for itself, and may be connected again.
  const custom = (await findAuthorisation(place.pool, authorisationId))?.kind === 'custom';
  const revoked = link.siblings > 0 || custom || (await tokens.revoke(authorisationId));
  const rest = revoked ? '' : ' Its tokens could not be revoked; they reach no organisation any more.';
  return { atXero: 'ended', message: `It is disconnected at Xero.${rest}` };
}

function left(name: string): AtXero {
  return {
    atXero: 'kept',
    message: `Xero was not told: "${name}" may still be among the organisation's connected apps.`,
  };
}

function unheard(name: string, why: string): ActRefused {
  return new ActRefused(
    `"${name}" is not removed, because Xero could not be told to disconnect it. ${why} Try again, or forget it here only with \`daybook connections remove ${name} --keep-at-xero\`.`,
  );
}
