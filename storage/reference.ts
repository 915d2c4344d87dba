import type pg from 'pg';
import { unsettledSeconds } from '../model/invoice-cursor.ts';
import type { ContactsReading, ReferenceEndpoint } from '../model/reference.ts';
import { isAboutData, reasonOf } from './data-errors.ts';
import { rowsOf } from './exact-json.ts';
import { storeInHalves } from './halves.ts';
import type { Queryable } from './pool.ts';
import { quarantine } from './quarantine.ts';
import { asText, referenceStatements, responseArrays } from './reference-statements.ts';

/** One answer of a reference endpoint, as Xero sent it. */
export interface ReferencePage {
  runId: string;
  tenantId: string;
  endpoint: ReferenceEndpoint;
  text: string;
}

export interface ReferencePosition {
  endpoint: ReferenceEndpoint;
  /** Up to which UpdatedDateUTC all is stored, ISO; null when all must be read. */
  readThrough: string | null;
  /** What is dated later has not settled: an answer from now on says nothing certain of it. ISO. */
  settled: string;
  /** Where a reading of contacts goes on that was not ended, by whichever run; null when all begins anew. */
  reading: ContactsReading | null;
}

const unsettled = `interval '${unsettledSeconds} seconds'`;

/** A reading that was left is gone on with for so long; page numbers lose their meaning while people edit what they count. */
const forgotten = `interval '2 days'`;

/**
 * The endpoints that a run has to read: those not asked within the hour, or, for a full run, since it began. A place ahead of
 * the clock was written by an earlier version, or when a clock was wrong: what it passed over nobody knows, so all is read.
 */
export async function referenceDue(db: Queryable, runId: string): Promise<ReferencePosition[]> {
  const { rows } = await db.query<ReferencePosition>(
    `with asked as (
       select r.tenant_id, coalesce((r.request->>'full')::boolean, false) as reads_all, r.started_at
         from daybook.import_run r where r.run_id = $1
     )
     select e.endpoint,
            case when not reads_all and p.read_through <= now() then ${asText('p.read_through')} end as "readThrough",
            ${asText(`now() - ${unsettled}`)} as settled,
            case when ((p.place->>'whole')::boolean or not reads_all and p.read_through <= now())
                  and (p.place->>'settled')::timestamptz
                      between case when reads_all then started_at - ${unsettled} else now() - ${forgotten} end and now()
                 then p.place end as reading
       from asked, unnest($2::text[]) with ordinality as e (endpoint, place)
       left join daybook.reference_position p
              on p.tenant_id = (select tenant_id from asked) and p.endpoint = e.endpoint
      where p.asked_at is null or p.asked_at < case when reads_all then started_at else now() - interval '1 hour' end
      order by e.place`,
    [runId, Object.keys(referenceStatements)],
  );
  return rows;
}

export interface StoredReference {
  /** Newest UpdatedDateUTC in the answer, ISO; null when it has none. */
  newest: string | null;
  /** The rows came in the order of their UpdatedDateUTC. */
  ascending: boolean;
}

/** What the statement of an endpoint tells of the rows it was given, ISO; null where none has an UpdatedDateUTC. */
interface Instants {
  oldest: string | null;
  newest: string | null;
  ascending: boolean;
}

/**
 * Stores an answer: rows are inserted or brought up to date, an older copy never overwrites a newer one, and what Xero does
 * not send any more stays. An answer that Postgres cannot take as a whole is taken in ever smaller pieces; what cannot be stored
 * goes to quarantine, word for word.
 */
export async function storeReference(pool: pg.Pool, page: ReferencePage): Promise<StoredReference> {
  const { endpoint, tenantId, runId } = page;
  const name = responseArrays[endpoint];
  const stored = { newest: null as string | null, ascending: true };

  const store = async (body: string) => {
    const { rows } = await pool.query<Instants>(referenceStatements[endpoint], [tenantId, runId, body]);
    const { oldest = null, newest = null, ascending = true } = rows[0] ?? {};
    const isBehind = oldest === null || stored.newest === null || oldest >= stored.newest;
    stored.ascending &&= ascending && isBehind;
    if (newest !== null && (stored.newest === null || newest > stored.newest)) stored.newest = newest;
  };

  try {
    await store(page.text);
    return stored;
  } catch (error) {
    if (!isAboutData(error)) throw error;
  }
  await storeInHalves(
    rowsOf(page.text, name),
    async (rows) => {
      try {
        await store(`{"${name}":[${rows}]}`);
        return { stored: rows.length, admitted: rows.length, quarantined: 0 };
      } catch (error) {
        if (!isAboutData(error)) throw error;
        return { refused: reasonOf(error) };
      }
    },
    (row, reason) => quarantine(pool, { runId, tenantId, stream: endpoint }, row, {}, reason),
  );
  return stored;
}

/** Two refreshes at once may end in either order; a place ahead of the clock is none. */
const readFurther = `case when p.read_through <= now() then greatest(p.read_through, excluded.read_through) else excluded.read_through end`;

/** Writes down how far an endpoint is read while there is more of it: `readThrough` is null where the order does not tell. */
export async function moveReference(
  db: Queryable,
  { tenantId, runId, endpoint }: Omit<ReferencePage, 'text'>,
  readThrough: string | null,
  place: ContactsReading,
): Promise<void> {
  await db.query(
    `insert into daybook.reference_position as p (tenant_id, endpoint, read_through, run_id, place) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, endpoint) do update
        set read_through = ${readFurther}, run_id = excluded.run_id, place = excluded.place`,
    [tenantId, endpoint, readThrough, runId, place],
  );
}

/** Writes down that an endpoint was read to its end: it is asked again in an hour. */
export async function endReference(
  db: Queryable,
  { tenantId, runId, endpoint }: Omit<ReferencePage, 'text'>,
  readThrough: string | null,
): Promise<void> {
  await db.query(
    `insert into daybook.reference_position as p (tenant_id, endpoint, read_through, asked_at, run_id)
     values ($1, $2, $3, now(), $4)
     on conflict (tenant_id, endpoint) do update
        set read_through = ${readFurther}, asked_at = now(), message = null, place = null,
            run_id = excluded.run_id`,
    [tenantId, endpoint, readThrough, runId],
  );
}

/** Writes down why an endpoint was not read, and whether the next run asks again or one in an hour. */
export async function missReference(
  db: Queryable,
  { tenantId, runId, endpoint }: Omit<ReferencePage, 'text'>,
  message: string,
  askAgain: 'inAnHour' | 'nextTime',
): Promise<void> {
  await db.query(
    `insert into daybook.reference_position as p (tenant_id, endpoint, asked_at, message, run_id)
     values ($1, $2, case when $5 then now() end, $3, $4)
     on conflict (tenant_id, endpoint) do update
        set asked_at = case when $5 then now() else p.asked_at end, message = excluded.message, run_id = excluded.run_id`,
    [tenantId, endpoint, message, runId, askAgain === 'inAnHour'],
  );
}

/** What a run could not read of the reference data, or not store, in sentences. */
export async function referenceTroubles(db: Queryable, runId: string): Promise<string[]> {
  const { rows } = await db.query<{ message: string }>(
    `select message from (
       select endpoint, message from daybook.reference_position where run_id = $1 and message is not null
       union all
       select stream, format('%s of the reference data (%s) %s in quarantine.', case count(*) when 1 then '1 row' else count(*) || ' rows' end,
                             stream, case count(*) when 1 then 'is' else 'are' end)
         from daybook.quarantine
        where run_id = $1 and tenant_id = (select tenant_id from daybook.import_run where run_id = $1) and stream = any ($2)
        group by stream
     ) as trouble order by endpoint, message`,
    [runId, Object.keys(responseArrays)],
  );
  return rows.map(({ message }) => message);
}
