import type { Money } from '../money.ts';
import type { Account, Chart } from './chart.ts';
import type { JournalLine } from './journal.ts';
import { AWKWARD_TEXTS, PLAIN_DESCRIPTIONS } from './texts.ts';
import type { TrackingCategory, TrackingTag } from './tracking.ts';

export interface PostingContext {
  readonly chart: Chart;
  readonly tracking: readonly TrackingCategory[];
  readonly random: () => number;
  /** 0 at the first journal, 1 at the last: which of an account's names was in use. */
  readonly age: number;
  /** An amount above zero to post. */
  amount(): Money;
}

export function pick<T>(list: readonly T[], random: () => number): T {
  const chosen = list[Math.floor(random() * list.length)];
  if (chosen === undefined) throw new Error('Nothing to pick from.');
  return chosen;
}

function tags(context: PostingContext): TrackingTag[] {
  const roll = context.random();
  const wanted = roll < 0.55 ? 0 : roll < 0.85 ? 1 : 2;
  return context.tracking
    .slice(0, wanted)
    .map((category) => ({ category, option: pick(category.options, context.random) }));
}

function describe(random: () => number): string {
  const roll = random();
  return roll < 0.25 ? '' : roll < 0.9 ? pick(PLAIN_DESCRIPTIONS, random) : pick(AWKWARD_TEXTS, random);
}

function nameThen(account: Account, age: number): string {
  return account.formerName !== undefined && age < 0.5 ? account.formerName : account.name;
}

/** The line that balances a journal on a control account: no tax type, no description, as in Xero's own examples. */
function controlLine(account: Account, net: Money, age: number): JournalLine {
  return { account, accountName: nameThen(account, age), net, gross: net, tax: 0n, description: '', tracking: [] };
}

/**
 * Posts `counterpart` against 1–3 lines of income or costs, tax on a line of its own: net amounts sum to zero, gross
 * amounts do not (xero-api.md §1). `sign` is that of the income or cost lines: −1 for sales (credits), +1 for costs.
 */
export function taxedLines(
  context: PostingContext,
  counterpart: Account,
  sides: readonly Account[],
  sign: 1 | -1,
): JournalLine[] {
  const { random, chart, age } = context;
  const lines: JournalLine[] = [];
  let net = 0n;
  let tax = 0n;
  const wanted = 1 + Math.floor(random() * random() * 3.4);
  for (let k = 0; k < wanted; k++) {
    const account = pick(sides, random);
    const lineNet = context.amount() * BigInt(sign);
    const taxed = account.taxType !== 'NONE';
    // 15 %, rounded to cents: a tax of four decimals does not exist.
    const lineTax = taxed ? ((lineNet * 15n) / 10_000n) * 100n : 0n;
    net += lineNet;
    tax += lineTax;
    lines.push({
      account,
      accountName: nameThen(account, age),
      net: lineNet,
      gross: lineNet + lineTax,
      tax: lineTax,
      description: describe(random),
      taxType: account.taxType,
      taxName: taxed ? '15% GST' : 'No GST',
      tracking: tags(context),
    });
  }
  lines.unshift(controlLine(counterpart, -(net + tax), age));
  if (tax !== 0n) lines.push(controlLine(chart.find('820'), tax, age));
  return lines;
}

/** Two lines: money moves from one account to another. */
export function movement(context: PostingContext, debit: Account, credit: Account): JournalLine[] {
  const amount = context.amount();
  return [controlLine(debit, amount, context.age), controlLine(credit, -amount, context.age)];
}

/** A manual journal: 2–6 tracked lines over any accounts, the last one taking the difference. */
export function manualLines(context: PostingContext): JournalLine[] {
  const { random, chart, age } = context;
  const wanted = 2 + Math.floor(random() * random() * 5);
  const lines: JournalLine[] = [];
  let sum = 0n;
  for (let k = 0; k < wanted; k++) {
    const account = pick(chart.all, random);
    const net = k === wanted - 1 ? -sum : random() < 0.5 ? context.amount() : -context.amount();
    sum += net;
    lines.push({
      ...controlLine(account, net, age),
      description: describe(random),
      taxType: 'NONE',
      taxName: 'No GST',
      tracking: tags(context),
    });
  }
  return lines;
}

/** The same journal with every sign turned: how Xero undoes a posting. */
export function reversed(lines: readonly JournalLine[]): JournalLine[] {
  return lines.map((line) => ({ ...line, net: -line.net, gross: -line.gross, tax: -line.tax }));
}
