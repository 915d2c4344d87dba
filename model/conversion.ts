import { dayMs } from './days.ts';
import type { Coverage } from './reconciliation.ts';

/** The day before a date, both YYYY-MM-DD: conversion balances are entered as at the one before the conversion date. */
export function dayBeforeThat(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) - dayMs).toISOString().slice(0, 10);
}

/** Where nothing else is found, in several accounts: balances as at a conversion date after the first journal are known only by that date. */
export const conversionHint =
  'If its books moved to Xero after the first journal, tell Xero’s conversion date (conversionDate, `--conversion-date`): the balances as at it are in no journal.';

/** What decides whether a conversion date that the request tells may explain anything. */
export interface ToldConversion {
  conversionDate: string;
  /** As at which is compared. */
  date: string;
  stored: Pick<Coverage, 'unbrokenThrough'> & { dayBefore: string; quarantined: number };
  isAnyRemoved: boolean;
}

/**
 * Why a conversion date that was told is not used, in a sentence: whatever is missing on that day would pass for a balance entered
 * by hand. Null when it is used, or is no later than the first journal: what the report shows before that is found without it.
 */
export function unusedConversion({ conversionDate, date, stored, isAnyRemoved }: ToldConversion): string | null {
  const { unbrokenThrough, dayBefore, quarantined } = stored;
  const said = (reason: string) => `The conversion date ${conversionDate} was not used, as ${reason}.`;
  const known = dayBeforeThat(conversionDate);
  if (unbrokenThrough === null) return said('no import without filters has stored all journals from the first on yet');
  if (known <= dayBefore) return null;
  if (known >= date) return said(`it is later than ${date}, as at which was compared`);
  if (isAnyRemoved)
    return said(
      'journals that were stored are gone, and what they lack would pass for conversion balances: import them again first',
    );
  if (quarantined > 0)
    return said(
      `${quarantined === 1 ? 'a row is' : 'rows are'} in quarantine, and what the ledger lacks by that would pass for conversion balances`,
    );
  return null;
}
