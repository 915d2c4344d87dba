import { z } from 'zod';

/**
 * What a person asks for: the one JSON object that a workflow of type `importJournals` or `importInvoices` takes, from the
 * Temporal CLI, the Temporal UI, a Schedule, the `daybook` command or the client library alike.
 *
 * zod runs in the client and in the activity `beginImport`, never in workflow code: there it would triple the memory of
 * every cached workflow. Workflows import the *types* of this file only.
 */

const name = (what: string) =>
  z
    .string({ error: (issue) => (issue.input === undefined ? `${what} is missing` : `${what} must be a text`) })
    .min(1, { error: `${what} must not be empty` })
    .max(63, { error: `${what} must have at most 63 characters` })
    .regex(/^\P{Cc}*$/u, { error: `${what} must not hold control characters` });

/** The largest Journal ID there can be: Xero's `offset` is a number of 32 bits. */
export const largestJournalId = 2_147_483_647;
/** More than any organisation has. */
export const mostCallsADay = 1_000_000;

/** The bounds come first and end the check: of a number far outside JSON keeps not enough digits to call it whole. */
const wholeNumber = (what: string, [least, tooFew]: [number, string], [most, tooMany]: [number, string]) =>
  z
    .number({ error: `must be a whole number${what}` })
    .min(least, { error: tooFew, abort: true })
    .max(most, { error: tooMany, abort: true })
    .int({ error: `must be a whole number${what}` });

const journalId = wholeNumber(
  ': the Journal ID shown in Xero’s Journal Report',
  [1, 'must be 1 or more'],
  [largestJournalId, `must be ${largestJournalId} or less: Xero knows no larger Journal ID`],
);

const dateOnly = /^\d{4}-\d{2}-\d{2}$/;

/** `YYYY-MM-DD` (midnight UTC) or a date-time that names its zone. Impossible dates such as 30 February are refused. */
const modifiedSince = z
  .string({ error: 'must be a text such as "2026-07-01" or "2026-07-01T09:30:00Z"' })
  .refine((text) => instantOf(text) !== null, {
    error: 'must be a real date ("2026-07-01", midnight UTC) or a date-time with a zone ("2026-07-01T09:30:00Z")',
  });

export const connection = name('connection');
export const application = name('application');
export const basis = z.enum(['accrual', 'cash'], { error: 'must be "accrual" or "cash"' });
const full = z.boolean({ error: 'must be true or false' });
const quotaReserve = wholeNumber(
  ' of calls',
  [0, 'must be 0 or more'],
  [mostCallsADay, 'is more than a day has calls'],
);

/** How a run stands to others of its organisation; the larger of its reserve and the connection's counts. */
const manners = {
  quotaReserve: quotaReserve.optional(),
  backfill: z.boolean({ error: 'must be true or false' }).optional(),
};

const importInvoicesRequest = z.strictObject({
  connection,
  application,
  modifiedSince: modifiedSince.optional(),
  full: full.optional(),
  ...manners,
});

const importJournalsRequest = z
  .strictObject({
    connection,
    application,
    startingAtJournalId: journalId.optional(),
    endingAtJournalId: journalId.optional(),
    modifiedSince: modifiedSince.optional(),
    basis: basis.optional(),
    full: full.optional(),
    ...manners,
  })
  .refine((request) => !endsBeforeItStarts(request), {
    path: ['endingAtJournalId'],
    error: ({ input }) => {
      const { startingAtJournalId: from, endingAtJournalId: to } = input as { [field: string]: unknown };
      return `is ${to}, before startingAtJournalId ${from}`;
    },
    // Also when other fields are wrong, which zod otherwise takes as a reason not to look.
    when: () => true,
  });

function endsBeforeItStarts({
  startingAtJournalId: from,
  endingAtJournalId: to,
}: {
  [field: string]: unknown;
}): boolean {
  return typeof from === 'number' && typeof to === 'number' && to < from;
}

/** What `daybook export` takes; without an application it is the admin who asks. */
const exportRequest = z.strictObject({
  connection,
  application: application.optional(),
  modifiedSince: modifiedSince.optional(),
  basis: basis.optional(),
});

export type ExportRequest = z.infer<typeof exportRequest>;
export type ImportJournalsRequest = z.infer<typeof importJournalsRequest>;
export type ImportInvoicesRequest = z.infer<typeof importInvoicesRequest>;

/** What can be imported: each kind is a workflow type of its own, and what can be asked of it. */
export type ImportKind = 'journals' | 'invoices';

/** A request of either kind: invoices know no bounds and no basis. */
export type ImportRequest = ImportJournalsRequest;

/** Accrual journals are the general ledger; cash journals (`paymentsOnly=true`) are a series of their own. */
export type Basis = 'accrual' | 'cash';

export type Checked<T> = { ok: true; request: T } | { ok: false; problems: string[] };

const requests = { journals: importJournalsRequest, invoices: importInvoicesRequest };

/** Checks an import request from anywhere. Every problem is named, in the order of the fields. */
export function checkImport(kind: ImportKind, input: unknown): Checked<ImportRequest> {
  return check<ImportRequest>(requests[kind], 'an import request', input);
}

/** Checks what is asked of an export, likewise. */
export function checkExport(input: unknown): Checked<ExportRequest> {
  return check(exportRequest, 'a request to export', input);
}

/** Checks a request against its schema; `what` is how the sentences call it. */
export function check<T>(schema: z.ZodObject & z.ZodType<T>, what: string, input: unknown): Checked<T> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return {
      ok: false,
      problems: ['The input must be one JSON object, such as {"connection":"…","application":"…"}.'],
    };
  }
  const parsed = schema.safeParse(input);
  if (parsed.success) return { ok: true, request: parsed.data };
  const known = Object.keys(schema.shape);
  return { ok: false, problems: parsed.error.issues.flatMap((issue) => sentences(issue, what, known)) };
}

function sentences(issue: z.core.$ZodIssue, what: string, known: string[]): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `"${key}" is not a field of ${what}; known are ${known.join(', ')}.`);
  }
  const field = issue.path.join('.');
  return [issue.message.startsWith(field) ? `${issue.message}.` : `${field} ${issue.message}.`];
}

/** The instant that a `modifiedSince` names, in milliseconds since 1970, or null when it names none. */
export function instantOf(text: string): number | null {
  const withZone = dateOnly.test(text) ? `${text}T00:00:00Z` : text;
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/.test(withZone)) return null;
  const instant = Date.parse(withZone);
  if (Number.isNaN(instant)) return null;
  // Date.parse turns 30 February into 2 March; a real date comes back as it was written.
  const day = withZone.slice(0, 10);
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) ? instant : null;
}
