import { createHash } from 'node:crypto';
import { type Money, moneyText } from '../money.ts';
import type { JournalLine } from './journal.ts';

/** Which journals a summary counts; bounds are inclusive, as in an import request. */
export interface SummaryFilter {
  from?: number;
  to?: number;
  /** Milliseconds since 1970: only journals created then or later. */
  createdSince?: number;
}

/** What an importer that stored everything must arrive at. Amounts are decimal text: two decimals, up to four if needed. */
export interface LedgerSummary {
  count: number;
  lineCount: number;
  /** 0 when there are no journals. */
  firstNumber: number;
  lastNumber: number;
  /** Sum of NetAmount per AccountID, for every account with at least one line. */
  sumsByAccountId: Record<string, string>;
  /** Sum of all positive NetAmounts. */
  debits: string;
  /** Sum of all negative NetAmounts, without the sign. */
  credits: string;
  /** SHA-256 (hex) over the numbers in ascending order, each in decimal and followed by a line feed. */
  numbersChecksum: string;
}

export function summarise(entries: Iterable<{ number: number; lines: readonly JournalLine[] }>): LedgerSummary {
  const sums = new Map<string, Money>();
  const hash = createHash('sha256');
  let pending = '';
  let count = 0;
  let lineCount = 0;
  let firstNumber = 0;
  let lastNumber = 0;
  let debits = 0n;
  let credits = 0n;
  for (const { number, lines } of entries) {
    if (count === 0) firstNumber = number;
    lastNumber = number;
    count++;
    pending += `${number}\n`;
    if (pending.length > 65_536) {
      hash.update(pending);
      pending = '';
    }
    for (const line of lines) {
      lineCount++;
      sums.set(line.account.id, (sums.get(line.account.id) ?? 0n) + line.net);
      if (line.net > 0n) debits += line.net;
      else credits -= line.net;
    }
  }
  return {
    count,
    lineCount,
    firstNumber,
    lastNumber,
    sumsByAccountId: Object.fromEntries(
      [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, sum]) => [id, moneyText(sum)]),
    ),
    debits: moneyText(debits),
    credits: moneyText(credits),
    numbersChecksum: hash.update(pending).digest('hex'),
  };
}
