import { z } from 'zod';
import { dayMs } from './days.ts';
import { application, type Basis, basis, type Checked, check, connection, instantOf } from './request.ts';
import type { FailureName, Wait } from './run.ts';
import { inShort } from './short-number.ts';

const day = z
  .string({ error: 'must be a text such as "2026-03-31"' })
  .refine((text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && instantOf(text) !== null, {
    error: 'must be a real date such as "2026-03-31"',
  });

/** What a person asks for: the one JSON object that a workflow of type `reconcileLedger` takes. */
const reconcileRequest = z.strictObject({
  connection,
  application,
  /** As at the end of this day; without it, the day on which it is asked (UTC). */
  date: day.optional(),
  basis: basis.optional(),
  /** Xero's conversion date, where it is later than the first journal: balances entered as at the day before it are explained. */
  conversionDate: day.optional(),
});

export type ReconcileRequest = z.infer<typeof reconcileRequest>;

/**
 * Checks a request to reconcile from anywhere. Every problem is named, in the order of the fields. A day that has not begun
 * anywhere is refused, too: books that are still to be written cannot be certified. So is a conversion date after the day as at
 * which is compared, as it could explain nothing. `now` is in milliseconds since 1970.
 */
export function checkReconcile(input: unknown, now: number): Checked<ReconcileRequest> {
  // Where clocks are ahead of UTC, its tomorrow is today.
  const tomorrow = new Date(now + dayMs).toISOString().slice(0, 10);
  const hasBegun = (text: string) => instantOf(text) === null || text <= tomorrow;
  const date = day.refine(hasBegun, { error: `must be ${tomorrow} at the latest, tomorrow in UTC` });
  const today = new Date(now).toISOString().slice(0, 10);
  const request = reconcileRequest.extend({ date: date.optional() }).refine((asked) => !convertsLater(asked, today), {
    path: ['conversionDate'],
    error: ({ input: asked }) =>
      `is later than ${(asked as ReconcileRequest).date ?? `today, ${today} in UTC`}, as at which is compared`,
    // Also when other fields are wrong, which zod otherwise takes as a reason not to look.
    when: () => true,
  });
  return check<ReconcileRequest>(request, 'a request to reconcile', input);
}

function convertsLater({ conversionDate, date }: { [field: string]: unknown }, today: string): boolean {
  const [converted, compared] = [day.safeParse(conversionDate), day.safeParse(date ?? today)];
  return converted.success && compared.success && converted.data > compared.data;
}

/** Which journals a comparison rests on. */
export interface Coverage {
  /** Numbers of the first and last journal stored. */
  firstJournal: number;
  lastJournal: number;
  journals: number;
  /** Every journal up to here is stored; null while no import without filters has got anywhere. */
  unbrokenThrough: number | null;
}

/**
 * An account on which Xero and the stored ledger differ. Amounts are exact decimal text in base currency, positive is debit;
 * `difference` is Xero's less ours, and the sum of the parts that are explained and of `unexplained`.
 */
export interface AccountDifference {
  /** The account's id, or else how Xero's report or the journals call it. */
  key: string;
  accountId: string | null;
  code: string | null;
  name: string | null;
  class: string | null;
  xero: string;
  ledger: string;
  difference: string;
  /** Balances entered when the books moved to Xero, which it keeps without a journal. */
  conversionBalance: string;
  /** Unrealised gains on foreign currency, which Xero computes when it makes the report. */
  currencyRevaluation: string;
  /** Profits of earlier years, where Xero's report leaves them out of retained earnings. */
  retainedEarnings: string;
  /** The report shows fewer decimals than the journals have. */
  rounding: string;
  unexplained: string;
  sentence: string;
}

/** The result of a workflow that did not fail. The certificate in Postgres has all accounts; the lists here are capped. */
export interface ReconcileResult {
  /** `clean`: no difference is without an explanation, and no journal that was stored is gone. `notYet`: the first import is under way. */
  outcome: 'clean' | 'differs' | 'cancelled' | 'notYet';
  message: string;
  /** Of the certificate, `daybook.reconciliation`. */
  runId: string;
  /** Null when it was cancelled before it had compared. */
  certificate: Certificate | null;
}

export interface Certificate {
  connection: string;
  organisation: string;
  date: string;
  basis: Basis;
  covers: Coverage;
  /** A journal that Xero has and that is not stored, where the two differ: import first. Null when none was found. */
  newestInXero: number | null;
  accounts: number;
  differing: { explained: number; unexplained: number };
  unexplained: AccountDifference[];
  explained: AccountDifference[];
}

/** What one attempt to reconcile tells the workflow. */
export type ReconcileOutcome =
  | { kind: 'reconciled'; result: ReconcileResult }
  | ({ kind: 'throttled' } & Wait)
  /** `isOver`: the consent has come before it was noted that it is waited for. Histories from before it was asked have none. */
  | { kind: 'needsReconnect'; message: string; isOver?: boolean }
  | { kind: 'stopped'; failure: FailureName; message: string };

/** So many differences of a kind go into the workflow's result, which stays in its history. */
export const differencesInResult = 50;

const none = '0.00';

/** Whether nothing explains some of an account's difference. */
export function isUnexplained({ unexplained }: Pick<AccountDifference, 'unexplained'>): boolean {
  return unexplained !== none;
}

export function differs({ difference }: Pick<AccountDifference, 'difference'>): boolean {
  return difference !== none;
}

/** What a person must know of one account's difference. */
export function sentenceOf(account: Omit<AccountDifference, 'sentence'>, hints: readonly string[]): string {
  const { code, name, xero, ledger, difference, unexplained, ...explained } = inShort(account);
  const called = [code, name].filter(Boolean).join(' ') || 'An account without a name';
  const reasons = [
    [explained.conversionBalance, 'is a conversion balance, which Xero keeps without a journal'],
    [
      account.currencyRevaluation,
      'is unrealised currency gain, which Xero computes for its report and posts in no journal',
    ],
    [explained.retainedEarnings, 'is the profit of earlier years, which Xero’s report leaves out of retained earnings'],
    [explained.rounding, 'is rounding, as the report shows fewer decimals'],
  ].flatMap(([part, reason]) => (part === none ? [] : [`${part} ${reason}`]));
  const open = unexplained === none ? [] : [`${unexplained} is not explained`];
  const parts = [...reasons, ...open].join('; ');
  // What explains a difference must not be there where there is none: then something else makes up for it.
  if (difference === none)
    return [
      `${called}: Xero and the stored ledger both have ${xero}${parts === '' ? '' : `, though ${parts}`}.`,
      ...hints,
    ].join(' ');
  return [
    `${called}: Xero has ${xero}, the stored ledger ${ledger}, a difference of ${difference}: ${parts}.`,
    ...hints,
  ].join(' ');
}

/** What may be behind a difference, beside what each account's sentence says. */
export interface Circumstances {
  quarantined: number;
  /** Of journals that were stored and are not there any more, a sentence each. */
  removed: string[];
  /** The day's limit left no calls for all that there was to ask, on a second day, too. */
  isCutShort: boolean;
  /** What there is to say of the conversion date. */
  conversion: string | null;
}

/** What a person must know of the whole comparison. */
export function summaryOf(
  { organisation, date, basis, covers, newestInXero, accounts, differing }: Certificate,
  { quarantined, removed, isCutShort, conversion }: Circumstances,
): string {
  const ledger = `stored ${basis === 'cash' ? 'cash ' : ''}ledger of ${organisation} (journals ${covers.firstJournal} to ${covers.lastJournal}, ${covers.journals} of them, ${
    covers.unbrokenThrough === null ? 'by imports with filters only' : `unbroken through ${covers.unbrokenThrough}`
  })`;
  const { explained, unexplained } = differing;
  const inQuarantine =
    quarantined === 0
      ? []
      : [
          `${quarantined === 1 ? '1 row is' : `${quarantined} rows are`} in quarantine (table daybook.quarantine): on Xero’s side only.`,
        ];
  if (accounts === 0)
    return [
      `There is nothing to compare as at ${date}: neither Xero’s trial balance nor the ${ledger} has an account then.`,
      ...inQuarantine,
      ...removed,
    ].join(' ');
  const apart = explained === 0 ? '' : `, ${explained} of them with an explained difference`;
  if (unexplained === 0)
    return [
      `The ${ledger} agrees with Xero’s trial balance as at ${date} on ${accounts === 1 ? 'the one account' : `all ${accounts} accounts`}${apart}${removed.length === 0 ? '' : ', but not all that was stored is there any more'}.`,
      ...inQuarantine,
      ...removed,
    ].join(' ');
  const said = [
    `The ${ledger} differs from Xero’s trial balance as at ${date} on ${unexplained} of ${accounts} accounts${explained === 0 ? '' : `; ${explained} more differ with an explanation`}.`,
  ];
  if (newestInXero !== null)
    said.push(
      `The ledger is behind: Xero has journals that are not stored yet, such as ${newestInXero}. Import first, then reconcile again.`,
    );
  else if (covers.unbrokenThrough === null)
    said.push('No import without filters has stored all journals yet: run one, then reconcile again.');
  said.push(...inQuarantine, ...removed);
  if (isCutShort)
    said.push(
      'Xero’s daily limit left no calls, on a second day either, to ask for all that might explain it: conversion balances, and journals that are not stored yet. Reconcile when others use fewer.',
    );
  if (conversion !== null) said.push(conversion);
  return said.join(' ');
}

/**
 * Of journals deleted in Postgres: which, as far as the receipt of their page tells, and what to do. `among` are numbers that are
 * missing, as many as `shownOfRemoved` at most; `first` and `through` are those of the page.
 */
export function removalOf(
  { count, among, first, through }: { count: number; among: readonly number[]; first: number; through: number },
  basis: Basis,
): string {
  const numbers = among.join(', ');
  const mayBeMore = among.length >= shownOfRemoved;
  const them = count === 1 ? 'it is not there any more' : 'they are not there any more';
  const what =
    among.length === count && !mayBeMore
      ? `${count === 1 ? 'Journal' : 'Journals'} ${numbers} ${count === 1 ? 'was' : 'were'} stored once, by the receipt of the page, and`
      : `${count} of the journals ${numbers}${mayBeMore ? ' and so on' : ''} (any others are gaps in Xero’s own numbers) ${count === 1 ? 'was' : 'were'} stored once, by the receipt of the page, and`;
  const [from, to] = mayBeMore ? [first, through] : [among[0], among.at(-1)];
  return `${what} ${them}: import again with \`--from ${from} --to ${to}${basis === 'cash' ? ' --basis cash' : ''}\`.`;
}

/** So many numbers of a page that are missing are named. */
export const shownOfRemoved = 6;
