import type { AccountDifference, Certificate, Coverage, ReconcileResult } from '../model/reconciliation.ts';
import type { Basis } from '../model/request.ts';
import { streamOf } from '../model/streams.ts';
import type { Queryable } from './pool.ts';

/** What is stored of a ledger, as far as a comparison must know. */
export interface StoredLedger extends Coverage {
  /** The day before the first journal's date. */
  dayBefore: string;
  /** The end of the organisation's financial year is known, which a trial balance needs. */
  knowsYearEnd: boolean;
  /** Journals that could not be stored as Xero sent them. */
  quarantined: number;
}

/** Null when nothing is stored. */
export async function storedLedger(db: Queryable, tenantId: string, basis: Basis): Promise<StoredLedger | null> {
  const { rows } = await db.query<StoredLedger>(
    `select min(journal_number) as "firstJournal", max(journal_number) as "lastJournal", count(*) as journals,
            (min(journal_date) - 1)::text as "dayBefore",
            (select nullif(watermark, 0) from daybook.stream_position where tenant_id = $1 and stream = $3) as "unbrokenThrough",
            exists (select from xero.organisation where tenant_id = $1 and financial_year_end_month is not null
                       and financial_year_end_day is not null) as "knowsYearEnd",
            (select count(*) from daybook.quarantine where tenant_id = $1 and stream = $3) as quarantined
       from xero.journal where tenant_id = $1 and basis = $2`,
    [tenantId, basis, streamOf('journals', { basis })],
  );
  const found = rows[0];
  if (found === undefined || found.journals === 0) return null;
  const { unbrokenThrough, lastJournal } = found;
  // A wrong number may have moved the watermark beyond all that is stored.
  return { ...found, unbrokenThrough: unbrokenThrough === null ? null : Math.min(unbrokenThrough, lastJournal) };
}

/**
 * The greatest of these journal numbers that is not stored; null when all of them are. What is in quarantine is passed over: the
 * next import could not store it either.
 */
export async function newestNotStored(
  db: Queryable,
  tenantId: string,
  basis: Basis,
  numbers: number[],
): Promise<number | null> {
  const { rows } = await db.query<{ newest: number | null }>(
    `select max(number) as newest from unnest($3::bigint[]) as number
      where not exists (select from xero.journal j where j.tenant_id = $1 and j.basis = $2 and j.journal_number = number)
        and not exists (select from daybook.quarantine q where q.tenant_id = $1 and q.stream = $4 and q.journal_number = number)`,
    [tenantId, basis, numbers, streamOf('journals', { basis })],
  );
  return rows[0]?.newest ?? null;
}

/** A line whose amount is not the one that Xero sent with its journal, or that is not there any more. */
export interface AlteredLine {
  accountId: string;
  /** Code and name of its account. */
  account: string;
  journalNumber: number;
  /** The amount, or `no line`. */
  stored: string;
  sent: string;
  /** Income or costs of a year that is over: its amount stands in retained earnings. */
  ofEarlierYear: boolean;
}

/**
 * Looks for lines that are not as they came: on these accounts, and, where `earlierYears`, among the income and costs of the
 * years before the date's. A search that takes too long is given up, as it only adds a hint.
 */
export async function alteredLines(
  db: Queryable,
  looked: { tenantId: string; basis: Basis; date: string; accountIds: string[]; earlierYears: boolean },
): Promise<AlteredLine[]> {
  const { rows } = await db
    .query<AlteredLine>(
      `with year as materialized (
         select xero.financial_year_start($1, $3::date) as start
       ), differing as (
         select l.account_id, l.account_name, j.journal_number, j.journal_date, l.net_amount::text as stored, s.amount as sent
           from xero.journal_line l join xero.journal j using (tenant_id, basis, journal_id)
          cross join lateral (select j.payload #>> array['JournalLines', (l.line_index - 1)::text, 'NetAmount'] as amount) s
          where l.tenant_id = $1 and l.basis = $2 and j.journal_date <= $3::date and l.net_amount <> s.amount::numeric
         union all
         select nullif(s.line->>'AccountID', '')::uuid, s.line->>'AccountName', j.journal_number, j.journal_date, 'no line',
                s.line->>'NetAmount'
           from xero.journal j
          cross join lateral jsonb_array_elements(nullif(j.payload->'JournalLines', 'null')) with ordinality as s (line, place)
          where j.tenant_id = $1 and j.basis = $2 and j.journal_date <= $3::date
            and not exists (select from xero.journal_line l
                             where (l.tenant_id, l.basis, l.journal_id, l.line_index) = ($1, $2, j.journal_id, s.place))
       )
       select d.account_id as "accountId", concat_ws(' ', a.code, coalesce(a.name, d.account_name)) as account,
              d.journal_number as "journalNumber", d.stored, d.sent, e.is_over as "ofEarlierYear"
         from differing d cross join year y
         left join xero.account a on a.tenant_id = $1 and a.account_id = d.account_id
        cross join lateral (select coalesce(a.class in ('REVENUE', 'EXPENSE'), false) and d.journal_date < y.start as is_over) e
        where d.account_id = any ($4::uuid[]) and not e.is_over or $5 and e.is_over
        order by d.journal_number limit 100`,
      [looked.tenantId, looked.basis, looked.date, looked.accountIds, looked.earlierYears],
    )
    .catch((error: Error & { code?: string }) => {
      if (error.code === cancelledByTimeout) return { rows: [] };
      throw error;
    });
  return rows;
}

const cancelledByTimeout = '57014';

export interface NewCertificate {
  workflowId: string;
  connectionId: string;
  application: string;
  tenantId: string;
  accounts: AccountDifference[];
}

/** Stores a certificate with its accounts; what an earlier attempt of the same run has stored makes room for it. */
export async function storeCertificate(
  db: Queryable,
  { runId, outcome, message }: ReconcileResult,
  { connection, date, basis, covers, newestInXero }: Certificate,
  { workflowId, connectionId, application, tenantId, accounts }: NewCertificate,
): Promise<void> {
  await db.query(`delete from daybook.reconciliation where run_id = $1`, [runId]);
  await db.query(
    `with certificate as (
       insert into daybook.reconciliation (run_id, workflow_id, connection_id, connection_name, application, tenant_id, basis, on_date,
                                           first_journal, last_journal, journals, unbroken_through, newest_in_xero, clean, accounts, message)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) returning run_id, tenant_id
     )
     insert into daybook.reconciliation_account (run_id, tenant_id, account_key, account_id, account_code, account_name, account_class,
                                                 xero_balance, ledger_balance, conversion_balance, currency_revaluation,
                                                 retained_earnings, rounding, unexplained, sentence)
     select c.run_id, c.tenant_id, a.key, a."accountId", a.code, a.name, a.class, a.xero, a.ledger, a."conversionBalance",
            a."currencyRevaluation", a."retainedEarnings", a.rounding, a.unexplained, a.sentence
       from certificate c, jsonb_to_recordset($17::jsonb) as a (
              key text, "accountId" uuid, code text, name text, class text, xero numeric, ledger numeric, "conversionBalance" numeric,
              "currencyRevaluation" numeric, "retainedEarnings" numeric, rounding numeric, unexplained numeric, sentence text)`,
    [
      runId,
      workflowId,
      connectionId,
      connection,
      application,
      tenantId,
      basis,
      date,
      covers.firstJournal,
      covers.lastJournal,
      covers.journals,
      covers.unbrokenThrough,
      newestInXero,
      outcome === 'clean',
      accounts.length,
      message,
      JSON.stringify(accounts),
    ],
  );
}

/** A certificate, as `daybook reconcile --list` shows it. */
export interface CertificateSummary extends Coverage {
  runId: string;
  connection: string;
  application: string;
  basis: Basis;
  date: string;
  newestInXero: number | null;
  clean: boolean;
  accounts: number;
  unexplained: number;
  message: string;
  reconciledAt: Date;
}

const columns = `
  r.run_id as "runId", r.connection_name as connection, r.application, r.basis, r.on_date::text as date,
  r.first_journal as "firstJournal", r.last_journal as "lastJournal", r.journals, r.unbroken_through as "unbrokenThrough",
  r.newest_in_xero as "newestInXero", r.clean, r.accounts, r.message, r.reconciled_at as "reconciledAt",
  (select count(*) from daybook.reconciliation_account a where a.run_id = r.run_id and a.unexplained <> 0) as unexplained`;

/** The newest certificates, of one connection or of all. */
export async function listCertificates(
  db: Queryable,
  limit: number,
  connection?: string,
): Promise<CertificateSummary[]> {
  const { rows } = await db.query<CertificateSummary>(
    `select ${columns} from daybook.reconciliation r where $2::text is null or r.connection_name = $2
      order by r.reconciled_at desc limit $1`,
    [limit, connection ?? null],
  );
  return rows;
}

/** A certificate with the accounts on which the two differ, or agree for no reason. */
export interface ShownCertificate extends CertificateSummary {
  differences: {
    code: string | null;
    name: string | null;
    xero: string;
    ledger: string;
    unexplained: string;
    sentence: string;
  }[];
}

export async function findCertificate(db: Queryable, runId: string): Promise<ShownCertificate | null> {
  const { rows } = await db.query<ShownCertificate>(
    `select ${columns},
            coalesce((select json_agg(json_build_object('code', a.account_code, 'name', a.account_name, 'xero', a.xero_balance::text,
                                        'ledger', a.ledger_balance::text, 'unexplained', a.unexplained::text, 'sentence', a.sentence)
                                      order by a.unexplained = 0, a.account_code, a.account_name)
                        from daybook.reconciliation_account a where a.run_id = r.run_id and (a.difference <> 0 or a.unexplained <> 0)), '[]') as differences
       from daybook.reconciliation r where r.run_id::text = $1`,
    [runId],
  );
  return rows[0] ?? null;
}
