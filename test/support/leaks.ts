import { readFileSync, statSync } from 'node:fs';
import { inject } from 'vitest';
import { historiesOf } from './observe.ts';
import type { Stand } from './stand.ts';

/** Places where a secret must not be, each with all the text it holds. */
export type Places = Record<string, string>;

/** Every secret of a stand, each with the pieces by which even a part of it is recognised. */
export function secretsOf(of: Pick<Stand, 'sandbox' | 'environment' | 'database'>): Map<string, string[]> {
  const { sandbox, environment, database } = of;
  const secrets = new Map<string, string[]>();
  const know = (name: string, secret: string | null | undefined, ...pieces: string[]) => {
    if (secret) secrets.set(name, [secret, ...pieces]);
  };
  for (const [index, event] of sandbox.tokens.events().entries()) {
    const signature = event.accessToken?.split('.')[2] ?? '';
    // The beginning of an access token is the same for all of them, and no secret; its signature is.
    know(
      `access token ${index}`,
      event.accessToken,
      ...(signature ? [signature.slice(0, 20), signature.slice(-20)] : []),
    );
    know(
      `refresh token ${index}`,
      event.issued,
      ...(event.issued ? [event.issued.slice(0, 16), event.issued.slice(-16)] : []),
    );
    know(`code or refresh token spent ${index}`, event.presented);
    know(`code verifier ${index}`, event.verifier);
    know(`id token ${index}`, event.idToken, ...(event.idToken ? [event.idToken.split('.')[2] ?? ''] : []));
  }
  know('client secret', sandbox.clientSecret);
  know('client id and secret', Buffer.from(`${sandbox.clientId}:${sandbox.clientSecret}`).toString('base64'));
  const key = environment.DAYBOOK_TOKEN_KEYS?.split(':')[1] ?? '';
  know('sealing key', key, Buffer.from(key, 'base64').toString('hex'));
  const { password } = new URL(database.url);
  know('database password', password.length >= 6 ? decodeURIComponent(password) : null);
  return secrets;
}

/** Where which secret is, in whatever form; empty when none is anywhere. */
export function findLeaks(secrets: Map<string, string[]>, places: Places): string[] {
  const forms = [...secrets].map(([name, pieces]) => [name, pieces.flatMap(formsOf)] as const);
  return Object.entries(places).flatMap(([place, text]) =>
    forms.filter(([, pieces]) => pieces.some((piece) => text.includes(piece))).map(([name]) => `${name} in ${place}`),
  );
}

/** A secret as it may be written: plain, url-encoded, in hex, or in base64 wherever it begins in what is encoded. */
export function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((before) => {
    const coded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    // Only the characters that are made of the secret's bits alone: those at the edges have their neighbours' too.
    return coded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  const urlSafe = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [...new Set([secret, encodeURIComponent(secret), bytes.toString('hex'), ...base64, ...urlSafe])];
}

/**
 * What a dump of the database and its server's roles would hold: every row of every table, as text; and what the server shows
 * of its sessions. A sealed column is looked into like any other.
 */
export async function databasePlaces({ database: { pool } }: Pick<Stand, 'database'>): Promise<Places> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema')
      union all values ('pg_catalog.pg_authid'), ('pg_catalog.pg_proc'), ('pg_catalog.pg_description'),
                       ('pg_catalog.pg_db_role_setting'), ('pg_catalog.pg_stat_activity')`,
  );
  const places: Places = {};
  for (const { name } of tables) {
    const { rows } = await pool.query<{ text: string | null }>(
      `select string_agg(row_to_json(t)::text, E'\\n') as text from ${name} t`,
    );
    places[`table ${name}`] = rows[0]?.text ?? '';
  }
  return places;
}

/**
 * Lets Postgres write down every statement with its parameters from now on, as one that is watched closely does, and returns
 * what it has written since then; nothing where the server's log is not at hand.
 */
export async function watchPostgres({ database: { pool } }: Pick<Stand, 'database'>): Promise<() => Places> {
  const { rows } = await pool.query<{ name: string }>('select current_database()::text as name');
  await pool.query(`alter database ${rows[0]?.name} set log_statement = 'all'`);
  const log = inject('postgresLog');
  if ('missing' in log) return () => ({});
  const begins = statSync(log.address).size;
  return () => ({ 'Postgres’s log': readFileSync(log.address).subarray(begins).toString() });
}

/** All that Temporal keeps or shows of some workflows: histories of the whole chain, descriptions, queries. */
export async function temporalPlaces(stand: Stand, runs: { workflowId: string; runId: string }[]): Promise<Places> {
  const places: Places = {};
  for (const { workflowId, runId } of runs) {
    const handle = stand.temporal.client.workflow.getHandle(workflowId);
    places[`history of ${workflowId}`] = readable(await historiesOf(stand, workflowId, runId));
    places[`description of ${workflowId}`] = readable((await handle.describe()).raw);
    places[`queries of ${workflowId}`] = readable([
      await handle.query('progress'),
      await handle.query('__temporal_workflow_metadata'),
    ]);
  }
  return places;
}

/** JSON in which payloads are not base64 but what they say. */
function readable(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, plain) {
    const own = this[key];
    if (own instanceof Uint8Array) return Buffer.from(own).toString('utf8');
    return typeof plain === 'bigint' ? String(plain) : plain;
  });
}
