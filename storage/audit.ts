import type { Queryable } from './pool.ts';

/** One act of the admin; `before` and `after` hold what changed, never a secret. */
export interface AdminAct {
  /** Who did it: the operating system's user on the command line, the session on the connect page. */
  actor: string;
  act:
    | 'connect'
    | 'reconnect'
    | 'disconnect'
    | 'rename'
    | 'allow'
    | 'deny'
    | 'setQuotaReserve'
    | 'addApplication'
    | 'removeApplication'
    | 'rotateApplication'
    | 'rebuild'
    | 'rebuilt'
    | 'rotateKeys'
    | 'makeKey'
    | 'endConsent';
  /** The name of the connection, application or key; of a consent that was ended, its authorisation's id. */
  subject: string;
  before?: unknown;
  after?: unknown;
}

/** Writes down an act of the admin, in the transaction that does it. */
export async function recordAct(db: Queryable, { actor, act, subject, before, after }: AdminAct): Promise<void> {
  await db.query(`insert into daybook.audit (actor, act, subject, before, after) values ($1, $2, $3, $4, $5)`, [
    actor,
    act,
    subject,
    before === undefined ? null : JSON.stringify(before),
    after === undefined ? null : JSON.stringify(after),
  ]);
}

/** Writes down that sealing keys of these names were made, each once however often it is said. */
export async function recordKeysMade(db: Queryable, actor: string, kids: readonly string[]): Promise<void> {
  await db.query(
    `insert into daybook.audit (actor, act, subject)
     select $1, 'makeKey', kid from unnest($2::text[]) as kid
      where not exists (select from daybook.audit where act = 'makeKey' and subject = kid)`,
    [actor, kids],
  );
}

/** An act as it was written down. */
export interface RecordedAct extends AdminAct {
  at: Date;
}

/** The newest acts, newest first; of one connection or application, or of all. */
export async function listActs(db: Queryable, limit: number, subject?: string): Promise<RecordedAct[]> {
  const { rows } = await db.query<RecordedAct>(
    `select at, actor, act, subject, before, after from daybook.audit where $2::text is null or subject = $2
      order by audit_id desc limit $1`,
    [limit, subject ?? null],
  );
  return rows;
}
