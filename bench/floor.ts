import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type pg from 'pg';
import { AccountingApi } from 'xero-node/dist/gen/api/accountingApi.js';
import { invoicesPerPage } from '../model/streams.ts';

/** What Daybook is compared with: the least that anybody could do with the same pages. */

/** A loop over xero-node as anybody would write it, which adds up what it reads and stores nothing; in milliseconds. */
export async function bareXeroNode(url: string, accessToken: string, tenantId: string): Promise<number> {
  const api = new AccountingApi(`${url}/api.xro/2.0`);
  api.accessToken = accessToken;
  const began = performance.now();
  let lines = 0;
  for (let offset = 0; ; ) {
    const { body } = await api.getJournals(tenantId, undefined, offset);
    const journals = body.journals ?? [];
    for (const { journalLines } of journals) lines += journalLines?.length ?? 0;
    if (journals.length === 0) {
      if (lines === 0) throw new Error('The bare loop read nothing.');
      return performance.now() - began;
    }
    offset = Math.max(...journals.map(({ journalNumber }) => journalNumber ?? 0));
  }
}

const loop = `
  import { XeroClient } from 'xero-node';
  const [url, accessToken, tenantId, pageSize] = process.argv.slice(1);
  const { accountingApi: api } = new XeroClient();
  api.basePath = url + '/api.xro/2.0';
  api.accessToken = accessToken;
  let lines = 0;
  for (let offset = 0; ; ) {
    const { journals } = (await api.getJournals(tenantId, undefined, offset)).body;
    for (const { journalLines } of journals) lines += journalLines.length;
    if (journals.length === 0) break;
    offset = Math.max(...journals.map(({ journalNumber }) => journalNumber));
  }
  for (let page = 1; pageSize !== undefined; page++) {
    const order = 'UpdatedDateUTC ASC';
    const filters = [undefined, undefined, order, undefined, undefined, undefined, undefined, page, true, undefined, 4, undefined];
    const { invoices } = (await api.getInvoices(tenantId, ...filters, Number(pageSize))).body;
    for (const { lineItems } of invoices) lines += lineItems.length;
    if (invoices.length < Number(pageSize)) break;
  }
  process.exitCode = lines > 0 ? 0 : 1;`;

/** The same loop as a program of its own, as somebody would start it, from its start to its end; in milliseconds. */
export async function bareXeroNodeProgram(
  url: string,
  accessToken: string,
  tenantId: string,
  withInvoices = false,
): Promise<number> {
  const began = performance.now();
  const pageSize = withInvoices ? [String(invoicesPerPage)] : [];
  const program = ['--input-type=module', '--eval', loop, url, accessToken, tenantId, ...pageSize];
  const running = spawn(process.execPath, program, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(running, 'exit');
  if (code !== 0) throw new Error('The bare loop read nothing.');
  return performance.now() - began;
}

/** The same of invoices, as many a page as Daybook asks for. */
export async function bareXeroNodeInvoices(url: string, accessToken: string, tenantId: string): Promise<number> {
  const api = new AccountingApi(`${url}/api.xro/2.0`);
  api.accessToken = accessToken;
  const none = undefined;
  const began = performance.now();
  let lines = 0;
  for (let page = 1; ; page++) {
    const order = 'UpdatedDateUTC ASC';
    const { body } = await api.getInvoices(
      ...([tenantId, none, none, order, none, none, none, none, page, true, none, 4, none, invoicesPerPage] as const),
    );
    const invoices = body.invoices ?? [];
    for (const { lineItems } of invoices) lines += lineItems?.length ?? 0;
    if (invoices.length === invoicesPerPage) continue;
    if (lines === 0) throw new Error('The bare loop read nothing.');
    return performance.now() - began;
  }
}

export async function fetchTexts(url: string, accessToken: string, tenantId: string): Promise<string[]> {
  const texts = [];
  for (let offset = 0; ; ) {
    const response = await fetch(`${url}/api.xro/2.0/Journals?offset=${offset}`, {
      headers: { authorization: `Bearer ${accessToken}`, 'xero-tenant-id': tenantId, accept: 'application/json' },
    });
    const text = await response.text();
    const { Journals } = JSON.parse(text) as { Journals: { JournalNumber: number }[] };
    if (Journals.length === 0) return texts;
    texts.push(text);
    offset = Math.max(...Journals.map(({ JournalNumber }) => JournalNumber));
  }
}

/** The same pages stored by bare SQL, one statement a page, into tables with the same columns and keys; in milliseconds. */
export async function bareSql(pool: pg.Pool, texts: string[], tenantId: string): Promise<number> {
  await pool.query(`
    drop schema if exists floor cascade; create schema floor;
    create table floor.journal (like xero.journal including all);
    create table floor.journal_line (like xero.journal_line including all);
    create table floor.journal_line_tracking (like xero.journal_line_tracking including all)`);
  const store = `
    with element as (select e.j from jsonb_array_elements($1::jsonb -> 'Journals') as e (j)),
    journal as (
      insert into floor.journal (tenant_id, basis, journal_id, journal_number, journal_date, created_date_utc, reference, source_id, source_type, payload, run_id)
      select $2::uuid, 'accrual', (j->>'JournalID')::uuid, (j->>'JournalNumber')::bigint, daybook.xero_date(j->>'JournalDate'),
             daybook.xero_instant(j->>'CreatedDateUTC'), j->>'Reference', (j->>'SourceID')::uuid, j->>'SourceType', j, $2::uuid
        from element
    ), line as (
      select (e.j->>'JournalID')::uuid as journal_id, l.n, l.line
        from element e, jsonb_array_elements(e.j->'JournalLines') with ordinality as l (line, n)
    ), lines as (
      insert into floor.journal_line
      select $2::uuid, 'accrual', journal_id, n, (line->>'JournalLineID')::uuid, (line->>'AccountID')::uuid, line->>'AccountCode',
             line->>'AccountType', line->>'AccountName', line->>'Description', (line->>'NetAmount')::numeric,
             (line->>'GrossAmount')::numeric, (line->>'TaxAmount')::numeric, line->>'TaxType', line->>'TaxName'
        from line
    )
    insert into floor.journal_line_tracking
    select $2::uuid, 'accrual', journal_id, n, t.m, (t.tracking->>'TrackingCategoryID')::uuid,
           (t.tracking->>'TrackingOptionID')::uuid, t.tracking->>'Name', t.tracking->>'Option'
      from line, jsonb_array_elements(coalesce(line->'TrackingCategories', '[]')) with ordinality as t (tracking, m)`;
  const began = performance.now();
  for (const text of texts) await pool.query({ name: 'floor', text: store, values: [text, tenantId] });
  return performance.now() - began;
}
