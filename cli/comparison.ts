import type { Organisation } from '../sandbox/server.ts';
import type { LedgerSummary } from '../storage/ledger-summary.ts';

/** What differs between what is stored and the sandbox's books, to the last digit; empty when nothing does. */
export function differences(stored: LedgerSummary, { books }: Organisation): string[] {
  const summary = books.summary();
  const found = [];
  if (stored.count !== summary.count)
    found.push(`${stored.count} journals are stored, ${summary.count} are in the books`);
  if (stored.duplicates > 0) found.push(`${stored.duplicates} journals are stored twice`);
  if (stored.numbersChecksum !== summary.numbersChecksum) found.push('the sets of journal numbers differ');
  for (const account of new Set([...Object.keys(stored.sumsByAccountId), ...Object.keys(summary.sumsByAccountId)])) {
    const [here, there] = [stored.sumsByAccountId[account], summary.sumsByAccountId[account]];
    if (plain(here) !== plain(there))
      found.push(`account ${account} sums to ${here ?? 'nothing'}, in the books to ${there ?? 'nothing'}`);
  }
  return found;
}

/** The same decimal always written the same way: without zeros at its end. */
export function plain(decimal: string | undefined): string {
  if (decimal === undefined) return '';
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}
