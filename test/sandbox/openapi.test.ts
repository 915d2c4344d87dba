import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SPECIAL_KINDS } from '../../sandbox/books/special.ts';
import { caller, sandboxFor } from './xero-client.ts';

const official = (name: string): string => fileURLToPath(new URL(`../../../shared/reference/${name}`, import.meta.url));
const ACCOUNTING = official('xero_accounting.yaml');
const IDENTITY = official('xero-identity.yaml');
const present = existsSync(ACCOUNTING) && existsSync(IDENTITY);

type Schema = Record<string, unknown>;

// Parsed once a file: half a second for each test otherwise.
const parsed = new Map<string, Record<string, Schema>>();
function schemasOf(file: string): Record<string, Schema> {
  const known = parsed.get(file);
  if (known) return known;
  const read = parse(readFileSync(file, 'utf8')) as { components: { schemas: Record<string, Schema> } };
  parsed.set(file, read.components.schemas);
  return read.components.schemas;
}

/** A check against one schema of an official file; unknown properties fail, so that a misspelt field cannot hide. */
function checker(file: string, name: string): (value: unknown) => string[] {
  const schemas = schemasOf(file);
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  for (const [key, schema] of Object.entries(schemas)) {
    // `$ref` beside other keywords, and defaults of the wrong type, are the files' own slips; ajv reads past both.
    const closed = schema.properties ? { ...schema, type: 'object', additionalProperties: false } : schema;
    ajv.addSchema(JSON.parse(JSON.stringify(closed).replaceAll('#/components/schemas/', '')) as Schema, key);
  }
  return (value) => {
    ajv.validate(name, value);
    return (ajv.errors ?? []).map((error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
  };
}

describe.skipIf(!present)(
  'answers agree with Xero’s official OpenAPI files (skipped when ../shared/reference is absent)',
  () => {
    it.each([
      ['Journals', 'Journal', 'Journals?offset=0'],
      ['Journals', 'Journal', 'Journals?offset=0&paymentsOnly=true'],
      ['Journals', 'Journal', 'Journals/1'],
      ['Organisations', 'Organisation', 'Organisation'],
      ['Accounts', 'Account', 'Accounts'],
      ['TrackingCategories', 'TrackingCategory', 'TrackingCategories?includeArchived=true'],
      ['Contacts', 'Contact', 'Contacts?page=1&includeArchived=true'],
      ['Invoices', 'Invoice', 'Invoices?page=1&pageSize=1000&unitdp=4'],
      ['Invoices', 'Invoice', 'Invoices?Statuses=VOIDED,DELETED,DRAFT,SUBMITTED'],
      ['Invoices', 'Invoice', 'Invoices?summaryOnly=true'],
      ['Invoices', 'Invoice', 'Invoices'],
      ['Reports', 'ReportWithRow', 'Reports/TrialBalance?date=2026-11-22'],
    ])('%s: %s at %s', async (list, schema, path) => {
      const sandbox = await sandboxFor();
      const { status, json } = await caller(sandbox)(path);
      expect(status).toBe(200);
      expect(json[list].length).toBeGreaterThan(0);
      const check = checker(ACCOUNTING, schema);
      // The file's examples have the dates as text beside the others, its schema does not.
      for (const { DateString: _, DueDateString: __, ...item } of json[list]) expect(check(item)).toEqual([]);
    });

    it('the shapes that Xero’s schema admits among the special journals are admitted', async () => {
      const sandbox = await sandboxFor({ journals: 0 });
      const outside = ['unknownFields', 'unknownSourceType', 'nullLines'];
      for (const kind of SPECIAL_KINDS) if (!outside.includes(kind)) sandbox.organisations[0]?.books.special(kind);
      const { json } = await caller(sandbox)('Journals');
      expect(json.Journals).toHaveLength(SPECIAL_KINDS.length - outside.length);
      const check = checker(ACCOUNTING, 'Journal');
      for (const journal of json.Journals) expect(check(journal)).toEqual([]);
    });

    it('a misspelt or mistyped field would be noticed', async () => {
      const sandbox = await sandboxFor();
      const { json } = await caller(sandbox)('Journals?offset=3');
      const check = checker(ACCOUNTING, 'Journal');
      const [journal] = json.Journals;
      expect(check({ ...journal, JournalNo: 1 })).not.toEqual([]);
      expect(check({ ...journal, JournalLines: [{ ...journal.JournalLines[0], NetAmount: '1.00' }] })).not.toEqual([]);
    });

    it('connections', async () => {
      const sandbox = await sandboxFor({ organisations: 2 });
      const { json } = await caller(sandbox)('/connections');
      expect(json).toHaveLength(2);
      const check = checker(IDENTITY, 'Connection');
      for (const connection of json) expect(check(connection)).toEqual([]);
    });
  },
);
