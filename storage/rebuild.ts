import type pg from 'pg';
import type { ReferenceEndpoint } from '../model/reference.ts';
import { basisOf, type Stream } from '../model/streams.ts';
import { isAboutData, reasonOf } from './data-errors.ts';
import { clearInvoiceParts, invoiceColumns, putInvoiceParts } from './invoice-rows.ts';
import { clearJournalLines, insertJournalLines, journalColumns } from './journal-rows.ts';
import { inTransaction, type Queryable } from './pool.ts';
import { putStoredOptions, referenceRows } from './reference-statements.ts';

/** What can be made anew: all that keeps its payload. */
export type Rebuildable = Stream | ReferenceEndpoint;

/** Documents in one transaction: a reader waits for none, an import that edits one of them for as long as this takes. */
const batch = 500;

interface Recipe {
  table: string;
  id: string;
  /** Documents of one table are told apart by their basis too. */
  basis?: string;
  /** Each takes tenant and ids, and the basis where there is one. */
  statements: string[];
}

/** All columns of some documents from their payloads. */
function columnsAnew(table: string, id: string, columns: Record<string, string>): string {
  return `
  update xero.${table} as t
     set (${Object.keys(columns)}) = (select ${Object.values(columns)} from (select t.payload as j) as sent)
   where t.tenant_id = $1 and t.${id} = any($2::uuid[])`;
}

function journals(stream: Stream): Recipe {
  return {
    table: 'journal',
    id: 'journal_id',
    basis: basisOf(stream),
    statements: [
      `${columnsAnew('journal', 'journal_id', journalColumns)} and t.basis = $3`,
      clearJournalLines,
      `with stored as (
         select journal_id, payload as j from xero.journal
          where tenant_id = $1 and journal_id = any($2::uuid[]) and basis = $3
       ), ${insertJournalLines('stored a', '$1')} select`,
    ],
  };
}

function reference(endpoint: ReferenceEndpoint, ...more: string[]): Recipe {
  const { table, id, columns } = referenceRows[endpoint];
  return { table, id, statements: [columnsAnew(table, id, columns), ...more] };
}

const recipes: Record<Rebuildable, Recipe> = {
  organisation: reference('organisation'),
  accounts: reference('accounts'),
  trackingCategories: reference('trackingCategories', putStoredOptions),
  contacts: reference('contacts'),
  journals: journals('journals'),
  cashJournals: journals('cashJournals'),
  invoices: {
    table: 'invoice',
    id: 'invoice_id',
    statements: [
      columnsAnew('invoice', 'invoice_id', {
        ...invoiceColumns,
        updated_date_utc: `daybook.xero_instant(j->>'UpdatedDateUTC')`,
      }),
      clearInvoiceParts,
      putInvoiceParts,
    ],
  },
};

export const rebuildable = Object.keys(recipes) as Rebuildable[];

/** How many documents of an organisation are stored. */
export async function countStored(db: Queryable, tenantId: string, what: Rebuildable): Promise<number> {
  const { table, basis } = recipes[what];
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int as count from xero.${table} where tenant_id = $1 ${basis ? 'and basis = $2' : ''}`,
    basis ? [tenantId, basis] : [tenantId],
  );
  return rows[0]?.count ?? 0;
}

/** The organisations of which anything is stored, those too whose connection is gone. */
export async function storedTenants(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    Object.values(recipes)
      .map(({ table }) => `select tenant_id as id from xero.${table}`)
      .join(' union '),
  );
  return rows.map(({ id }) => id);
}

/** How far a rebuild is. */
export interface Rebuilt {
  done: number;
  /** What could not be made anew and is as it was, in sentences. */
  problems: string[];
}

/**
 * Makes what is stored of an organisation anew from the payloads, some hundred documents a transaction: whoever reads sees
 * each document as it was or as it is made, never without its lines. An import beside it waits for a document, or is waited
 * for; both lock them in the order of their ids. Broken off, it may begin again. `onBatch` hears how far it is.
 */
export async function rebuild(
  pool: pg.Pool,
  tenantId: string,
  what: Rebuildable,
  onBatch: (rebuilt: Rebuilt) => void = () => {},
): Promise<Rebuilt> {
  const rebuilt: Rebuilt = { done: 0, problems: [] };
  let ids = await nextIds(pool, tenantId, what);
  while (ids.length > 0) {
    rebuilt.problems.push(...(await anew(pool, tenantId, what, ids)));
    rebuilt.done += ids.length;
    onBatch(rebuilt);
    ids = await nextIds(pool, tenantId, what, ids.at(-1));
  }
  return rebuilt;
}

async function nextIds(db: Queryable, tenantId: string, what: Rebuildable, after?: string): Promise<string[]> {
  const { table, id, basis } = recipes[what];
  const { rows } = await db.query<{ id: string }>(
    `select ${id} as id from xero.${table}
      where tenant_id = $1 and ${id} > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000') ${basis ? 'and basis = $3' : ''} order by ${id} limit ${batch}`,
    basis ? [tenantId, after, basis] : [tenantId, after],
  );
  return rows.map((row) => row.id);
}

/** Some documents in one transaction; where a payload refuses, each in its own, so that the others are made anew. */
async function anew(pool: pg.Pool, tenantId: string, what: Rebuildable, ids: string[]): Promise<string[]> {
  const { table, id, basis, statements } = recipes[what];
  const values = basis ? [tenantId, ids, basis] : [tenantId, ids];
  try {
    await inTransaction(pool, async (client) => {
      await client.query(
        `select from xero.${table} where tenant_id = $1 and ${id} = any($2::uuid[]) ${basis ? 'and basis = $3' : ''}
          order by ${id} for update`,
        values,
      );
      for (const statement of statements) await client.query(statement, values);
    });
    return [];
  } catch (error) {
    if (!isAboutData(error)) throw error;
    if (ids.length === 1) return [`${what}: ${ids[0]} is as it was, as its payload was refused: ${reasonOf(error)}.`];
    const problems: string[] = [];
    for (const each of ids) problems.push(...(await anew(pool, tenantId, what, [each])));
    return problems;
  }
}
