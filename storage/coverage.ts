import type { Queryable } from './pool.ts';

/**
 * Whether Xero is known to refuse a connection, from the table under the name c: the last consent of its Xero user does not cover the
 * organisation, and no import that began later has got through, as it does once another installation of the app has linked it again.
 */
export const isUncovered = `(c.uncovered_since is not null and not exists (
    select from daybook.import_run done where done.connection_id = c.connection_id and done.started_at > c.uncovered_since
                                          and done.status = 'caughtUp'))`;

/** A connection that a consent of its Xero user does not cover. */
export interface Uncovered {
  name: string;
  tenantName: string;
  applications: string[];
}

/**
 * Writes down which connections of an authorisation its last consent covers, by the tenants that Xero lists for it. Returns the
 * others, which need a consent of their own.
 */
export async function noteCoverage(db: Queryable, authorisationId: string, tenantIds: string[]): Promise<Uncovered[]> {
  await db.query(
    `update daybook.connection set uncovered_since = case when tenant_id::text = any ($2) then null else now() end
      where authorisation_id = $1 and (uncovered_since is not null or tenant_id::text <> all ($2))`,
    [authorisationId, tenantIds.map((each) => each.toLowerCase())],
  );
  const { rows } = await db.query<Uncovered>(
    `select c.name, c.tenant_name as "tenantName",
            array(select a.application from daybook.connection_application a
                   where a.connection_id = c.connection_id order by 1) as applications
       from daybook.connection c where c.authorisation_id = $1 and c.uncovered_since is not null order by c.name`,
    [authorisationId],
  );
  return rows;
}
