import { recordAct } from '../storage/audit.ts';
import { endAuthorisation, type Need, needOf } from '../storage/authorisations.ts';
import { type Connection, schemaOf } from '../storage/connections.ts';
import { inTransaction } from '../storage/pool.ts';
import { countSharingLink, removeConnection, SchemaInUse, sessionsInSchema } from '../storage/remove-connection.ts';
import { workflowsWaitingOn } from '../storage/waiting-workflows.ts';
import { createConnections } from '../xero/connections.ts';
import { changeAccess } from './applications.ts';
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
 * here; what it imported stays. Once nothing here needs the authorisation, no connection and no open set-up page, its
 * tokens go too: revoked where no link of that Xero user is left at Xero, as a revocation ends all of them, those of
 * another installation of the app too; else forgotten here only. `keepAtXero` leaves Xero out. Given again, it finishes
 * what it could not.
 * @throws ActRefused when there is no such connection, or Xero does not answer: nothing changes then; or when somebody
 * keeps a transaction open in which its schema was read: then no application may use it any more.
 */
export async function disconnect(place: AdminPlace, name: string, keepAtXero = false): Promise<Disconnected> {
  const { pool, actor } = place;
  const connection = await requireConnection(pool, name);
  const sharing = await countSharingLink(pool, connection.connectionId);
  // Removed by somebody else in this very moment.
  if (sharing === null) throw unknownConnection(name);
  const waiting = await workflowsWaitingOn(pool, connection.connectionId);
  const ended = keepAtXero ? left(name) : await endAtXero(place, connection, sharing);
  const need = await inTransaction(pool, async (db) => {
    await removeConnection(db, connection.connectionId);
    const stillFor = await needOf(db, connection.authorisationId);
    if (stillFor === null && ended.tokens === 'forget') {
      await endAuthorisation(db, connection.authorisationId, 'Forgotten here; not revoked at Xero.');
    }
    const after = { atXero: ended.atXero };
    await recordAct(db, { actor, act: 'disconnect', subject: name, before: described(connection), after });
    return stillFor;
  }).catch(async (error: unknown) => {
    if (!(error instanceof SchemaInUse)) throw error;
    await changeAccess(place, name, () => []);
    throw await notYet(place, name, ended);
  });
  const rest = await ofItsTokens(place, connection, ended, need);
  return {
    atXero: ended.atXero,
    waiting,
    message: `"${name}" is removed. ${ended.message}${rest} What was imported through it stays in the database.`,
  };
}

interface AtXero extends Pick<Disconnected, 'atXero' | 'message'> {
  /** What is to become of the tokens, if nothing here needs them. */
  tokens: 'revoke' | 'forget' | 'keep';
  /** Organisations that the same Xero user has linked to the app besides. */
  others?: string[];
}

async function endAtXero(
  place: AdminPlace,
  { name, authorisationId, tenantId }: Connection,
  sharing: number,
): Promise<AtXero> {
  if (sharing > 0) {
    return {
      atXero: 'shared',
      tokens: 'keep',
      message: 'Another connection uses the same organisation, so it stays connected at Xero.',
    };
  }
  const token = await tokensOf(place).accessToken(authorisationId);
  if (token.kind === 'needsReconnect') {
    return {
      atXero: 'kept',
      tokens: 'keep',
      message: `Xero could not be told, as the authorisation is lost: see in Xero whether the app is still among its connected apps.`,
    };
  }
  if (token.kind === 'unavailable') throw unheard(name, token.message);
  const { accessToken } = token;
  const connections = createConnections({ apiUrl: place.xero.apiUrl, now: place.now, timeoutMs: 20_000 });
  const linked = await connections.list({ accessToken });
  if (linked.kind !== 'answered') throw unheard(name, linked.message);
  // As Xero has it now: a link that was ended there and allowed again has another id than when this connection was made.
  for (const { id } of linked.connections.filter((each) => each.tenantId === tenantId)) {
    const answer = await connections.remove({ accessToken, id });
    if (answer.kind !== 'deleted') throw unheard(name, answer.message);
  }
  const others = linked.connections.filter((each) => each.tenantId !== tenantId).map(({ tenantName }) => tenantName);
  return {
    atXero: 'ended',
    tokens: others.length > 0 ? 'forget' : 'revoke',
    others,
    message: 'It is disconnected at Xero.',
  };
}

/** Revokes them where that is to be; what an admin should know of them, in a sentence. */
async function ofItsTokens(
  place: AdminPlace,
  { authorisationId }: Connection,
  { tokens, others = [] }: AtXero,
  need: Need,
): Promise<string> {
  if (need === 'setUp' && tokens !== 'keep') {
    return ' Its authorisation stays in use, as a set-up page of the same Xero user is open.';
  }
  if (need !== null) return '';
  if (tokens === 'revoke' && !(await tokensOf(place).revoke(authorisationId))) {
    return ' Its tokens could not be revoked; they reach no organisation any more.';
  }
  if (others.length === 0) return '';
  const stay = others.length === 1 ? 'stays' : 'stay';
  return ` ${others.join(', ')} ${stay} connected there by the same Xero user, as for another installation of the app, so the consent is not revoked; its tokens are forgotten here.`;
}

function left(name: string): AtXero {
  return {
    atXero: 'kept',
    tokens: 'forget',
    message: `Xero was not told: "${name}" may still be among the organisation's connected apps.`,
  };
}

/** The tokens are there still, so that the second time can ask Xero, too. */
async function notYet({ pool }: AdminPlace, name: string, { message }: AtXero): Promise<ActRefused> {
  const sessions = await sessionsInSchema(pool, name);
  const readers = sessions.map(
    (each) => `process ${each.process} (${[each.user, each.program].filter(Boolean).join(', ')})`,
  );
  const who = readers.length > 0 ? `: ${readers.join(', ')}` : ', which is gone by now';
  return new ActRefused(
    `"${name}" is not removed yet, as its schema "${schemaOf(name)}" is held by a session of Postgres that has read it and keeps the transaction open${who}. ${message} No application may use "${name}" any more. Have that transaction ended, then remove it once more.`,
  );
}

function unheard(name: string, why: string): ActRefused {
  return new ActRefused(
    `"${name}" is not removed, because Xero could not be told to disconnect it. ${why} Try again, or forget it here only with \`daybook connections remove ${name} --keep-at-xero\`.`,
  );
}
