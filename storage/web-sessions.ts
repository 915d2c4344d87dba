import type { Queryable } from './pool.ts';

/** What a page says of the act before it. */
export interface Notice {
  kind: 'done' | 'note' | 'failed';
  text: string;
}

/** Stores a one-time link, good for ten minutes; what has expired of links and sessions is swept out. */
export async function storeLink(db: Queryable, linkHash: Buffer, actor: string): Promise<void> {
  await db.query(`delete from daybook.web_link where expires_at < now()`);
  await db.query(`delete from daybook.web_session where expires_at < now()`);
  await db.query(
    `insert into daybook.web_link (link_hash, actor, expires_at) values ($1, $2, now() + interval '10 minutes')`,
    [linkHash, actor],
  );
}

/** Takes a link out: whoever does so first may open a session in the name of the one who asked for it. Null otherwise. */
export async function takeLink(db: Queryable, linkHash: Buffer): Promise<string | null> {
  const { rows } = await db.query<{ actor: string }>(
    `delete from daybook.web_link where link_hash = $1 and expires_at > now() returning actor`,
    [linkHash],
  );
  return rows[0]?.actor ?? null;
}

export async function openSession(db: Queryable, sessionHash: Buffer, actor: string): Promise<void> {
  await db.query(
    `insert into daybook.web_session (session_hash, actor, expires_at) values ($1, $2, now() + interval '12 hours')`,
    [sessionHash, actor],
  );
}

/** Who a session belongs to, which a request keeps alive; null when there is none or it has expired. */
export async function touchSession(db: Queryable, sessionHash: Buffer): Promise<string | null> {
  const { rows } = await db.query<{ actor: string }>(
    `update daybook.web_session set seen_at = now()
      where session_hash = $1 and expires_at > now() and seen_at > now() - interval '30 minutes' returning actor`,
    [sessionHash],
  );
  return rows[0]?.actor ?? null;
}

export async function endSession(db: Queryable, sessionHash: Buffer): Promise<void> {
  await db.query(`delete from daybook.web_session where session_hash = $1`, [sessionHash]);
}

/** Leaves notices for the next page of a session. */
export async function leaveNotices(db: Queryable, sessionHash: Buffer, notices: Notice[]): Promise<void> {
  await db.query(`update daybook.web_session set notices = notices || $2::jsonb where session_hash = $1`, [
    sessionHash,
    JSON.stringify(notices),
  ]);
}

/** Takes the notices that wait for this session's next page. */
export async function takeNotices(db: Queryable, sessionHash: Buffer): Promise<Notice[]> {
  const { rows } = await db.query<{ notices: Notice[] }>(
    `with waiting as (select session_hash, notices from daybook.web_session where session_hash = $1 for update)
     update daybook.web_session s set notices = '[]' from waiting w where s.session_hash = w.session_hash
     returning w.notices`,
    [sessionHash],
  );
  return rows[0]?.notices ?? [];
}
