import type { AccountDifference } from './reconciliation.ts';

/** More characters than any amount of money has. */
const longest = 40;
const shown = 20;

/**
 * A number for sentences, and for what goes into a workflow's history: Xero may send one of a hundred thousand digits, of which the
 * first ones and how many there are do. All of it is in Postgres.
 */
export function shortNumber(number: string): string {
  if (number.length <= longest) return number;
  return `${number.slice(0, shown)}… (${number.replace(/\D/g, '').length} digits)`;
}

/** An account's difference with amounts that can be read. */
export function inShort<Account extends Omit<AccountDifference, 'sentence'>>(account: Account): Account {
  const amounts = Object.fromEntries(amountsOf.map((amount) => [amount, shortNumber(account[amount])]));
  return { ...account, ...amounts };
}

const amountsOf = [
  ...(['xero', 'ledger', 'difference', 'conversionBalance'] as const),
  ...(['currencyRevaluation', 'retainedEarnings', 'rounding', 'unexplained'] as const),
];
