import type pg from 'pg';
import { recordAct } from './audit.ts';
import { inTransaction, type Queryable } from './pool.ts';

/** An authorisation that no connection uses: the consent was given, and then nobody named an organisation of it. */
export interface AbandonedConsent {
  authorisationId: string;
  /** Whether its tokens may still be good at Xero, and end something there. */
  alive: boolean;
  /** When Xero gave the first of its pairs that are kept, by Xero's clock: milliseconds since 1970; null without any. */
  since: number | null;
}

// A set-up lives for an hour, and what the terminal does with a consent it does at once; a run of hours is nobody's.
const abandoned = `
  a.status <> 'pending' and a.created_at < clock_timestamp() - interval '6 hours'
  and not exists (select from daybook.connection c where c.authorisation_id = a.authorisation_id)
  and not exists (select from daybook.refresh_attempt r
                   where r.authorisation_id = a.authorisation_id and r.from_generation = 0
                     and r.started_at > clock_timestamp() - interval '6 hours')`;

// Xero's revocation reaches all that a Xero user gave to the app, so nothing is ended while anybody is at a consent.
const nobodyConnects = `
  not exists (select from daybook.web_consent where expires_at > now())
  and not exists (select from daybook.web_setup where expires_at > now())
  and not exists (select from daybook.consent_handover where expires_at > now())
  and not exists (select from daybook.authorisation
                   where status = 'pending' and created_at > clock_timestamp() - interval '15 minutes')`;

/** Authorisations that no connection uses, six hours after their last consent; none while anybody is setting one up. */
export async function listAbandoned(db: Queryable): Promise<AbandonedConsent[]> {
  const { rows } = await db.query<AbandonedConsent>(
    `select a.authorisation_id as "authorisationId", k.since,
            a.kind = 'oauth' and a.status = 'active' and k.newest > clock_timestamp() - interval '60 days' as alive
       from daybook.authorisation a, lateral (
         select extract(epoch from min(t.issued_at))::float8 * 1000 as since, max(t.stored_at) as newest
           from daybook.authorisation_token t
          where t.authorisation_id = a.authorisation_id and t.sealed is not null) k
      where ${abandoned} and ${nobodyConnects} order by a.created_at`,
  );
  return rows;
}

/** Whether it is so still: asked before each thing that is ended at Xero. */
export async function isAbandoned(db: Queryable, authorisationId: string): Promise<boolean> {
  const { rows } = await db.query(
    `select from daybook.authorisation a where a.authorisation_id = $1 and ${abandoned} and ${nobodyConnects}`,
    [authorisationId],
  );
  return rows.length === 1;
}

/** The organisations that some connection of this database is to. */
export async function connectedTenants(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(`select distinct tenant_id::text as id from daybook.connection`);
  return rows.map(({ id }) => id);
}

/** Forgets an abandoned consent with its tokens, and writes that down; false when it came into use meanwhile. */
export async function forgetAbandoned(pool: pg.Pool, authorisationId: string, became: object): Promise<boolean> {
  return inTransaction(pool, async (db) => {
    const { rowCount } = await db.query(
      `delete from daybook.authorisation a where a.authorisation_id = $1 and ${abandoned}`,
      [authorisationId],
    );
    if (rowCount !== 1) return false;
    await recordAct(db, { actor: 'daybook', act: 'endConsent', subject: authorisationId, after: became });
    return true;
  });
}
