import type { Entitlement } from '../model/entitlement.ts';
import type { Queryable } from './pool.ts';

/** Keeps what a connection can be used for, in place of what was found the time before. */
export async function storeEntitlements(db: Queryable, connection: string, found: Entitlement[]): Promise<void> {
  await db.query(
    `insert into daybook.entitlement (connection_id, what, works, message)
     select c.connection_id, f.what, f.works, f.message
       from daybook.connection c, json_to_recordset($2) as f (what text, works boolean, message text)
      where c.name = $1
     on conflict (connection_id, what) do update
        set works = excluded.works, message = excluded.message, probed_at = excluded.probed_at`,
    [connection, JSON.stringify(found)],
  );
}
