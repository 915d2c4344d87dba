/**
 * The columns of a journal, beside its id, each from its payload `j`: for the insert of a page and for the rebuild. Of the columns
 * that are no text, those that Xero leaves out where there is nothing take an empty text for nothing, too. For each line's own
 * ids and amounts that would be a fiftieth of what storing a page costs.
 */
export const journalColumns = {
  journal_number: `(j->>'JournalNumber')::bigint`,
  journal_date: `daybook.xero_date(j->>'JournalDate')`,
  created_date_utc: `daybook.xero_instant(j->>'CreatedDateUTC')`,
  reference: `j->>'Reference'`,
  source_id: `nullif(j->>'SourceID', '')::uuid`,
  source_type: `j->>'SourceType'`,
};

/** $1 tenant, $2 ids, $3 basis. */
export const clearJournalLines = `
  with lines as (delete from xero.journal_line where tenant_id = $1 and journal_id = any($2::uuid[]) and basis = $3)
  delete from xero.journal_line_tracking where tenant_id = $1 and journal_id = any($2::uuid[]) and basis = $3`;

/** Lines and their tracking, from the payloads in `from`, whose alias `a` has journal_id and j. $3 is the basis. */
export const insertJournalLines = (from: string, tenant: string) => `line as (
    select a.journal_id, l.line_index, l.line
      from ${from},
           -- A journal may have no lines at all; anything but an array or nothing is not a journal of Xero's.
           jsonb_array_elements(coalesce(nullif(a.j->'JournalLines', 'null'), '[]')) with ordinality as l (line, line_index)
  ), inserted_line as (
    insert into xero.journal_line (tenant_id, basis, journal_id, line_index, journal_line_id, account_id, account_code,
                                   account_type, account_name, description, net_amount, gross_amount, tax_amount,
                                   tax_type, tax_name)
    select ${tenant}::uuid, $3, journal_id, line_index, (line->>'JournalLineID')::uuid, (line->>'AccountID')::uuid,
           line->>'AccountCode', line->>'AccountType', line->>'AccountName', line->>'Description',
           (line->>'NetAmount')::numeric, (line->>'GrossAmount')::numeric, (line->>'TaxAmount')::numeric,
           line->>'TaxType', line->>'TaxName'
      from line
  ), inserted_tracking as (
    insert into xero.journal_line_tracking (tenant_id, basis, journal_id, line_index, tracking_index,
                                            tracking_category_id, tracking_option_id, name, option)
    select ${tenant}::uuid, $3, journal_id, line_index, t.tracking_index,
           nullif(t.tracking->>'TrackingCategoryID', '')::uuid,
           nullif(t.tracking->>'TrackingOptionID', '')::uuid, t.tracking->>'Name', t.tracking->>'Option'
      from line, jsonb_array_elements(nullif(line->'TrackingCategories', 'null')) with ordinality as t (tracking, tracking_index)
     -- Most lines have none: not to unpack those is a twentieth of what storing a page costs.
     where line->'TrackingCategories' <> '[]'
  )`;

/** Passes over a journal that is there already. */
export const unlessThere = 'on conflict (tenant_id, basis, journal_id) do nothing';

/**
 * What all ways of storing share: journals that the run's filters admit are inserted, each with its lines and their tracking.
 * $1 run, $2 tenant, $3 basis; `element` holds one journal a row as jsonb. Without `unlessThere` one that is there already breaks its key.
 */
export const insertJournals = (onConflict: string) => `
  admitted as (
    select (j->>'JournalID')::uuid as journal_id, j
      from element, daybook.import_run r
     where r.run_id = $1
       -- What a filter cannot judge is admitted, for the table to refuse: a journal without number or date is no silent loss.
       -- Nor is one whose number is larger than any of Xero's, which are numbers of 32 bits.
       and coalesce((j->>'JournalNumber')::int >= r.starting_at, true)
       and (r.ending_at is null or coalesce((j->>'JournalNumber')::bigint <= r.ending_at, true))
       and (r.modified_since is null or coalesce(daybook.xero_instant(j->>'CreatedDateUTC') >= r.modified_since, true))
  ), inserted as (
    insert into xero.journal (tenant_id, basis, journal_id, ${Object.keys(journalColumns)}, payload, run_id)
    select $2::uuid, $3, journal_id, ${Object.values(journalColumns)}, j, $1::uuid from admitted
    ${onConflict}
    returning journal_id, journal_number
  ), ${insertJournalLines('inserted i join admitted a using (journal_id)', '$2')}`;
