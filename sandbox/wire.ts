import { randomUUID } from 'node:crypto';
import type { Money } from './money.ts';
import { moneyText } from './money.ts';

/** A timestamp as Xero writes it: `"\/Date(1541176243467+0000)\/"`, slashes escaped, ready to stand in JSON text. */
export function msDate(ms: number): string {
  return `"\\/Date(${ms}+0000)\\/"`;
}

/** An amount as a JSON number. Exact, because it is written from the bigint and no double ever held it. */
export const jsonMoney = (value: Money): string => moneyText(value);

/** JSON text of a string. Lone surrogates come out escaped (`\ud83d`), NUL as `\u0000`: valid JSON, hard to store. */
export const jsonText = (text: string): string => JSON.stringify(text);

/**
 * The same envelope as bytes, each item encoded for itself: one emoji in a joined text would make all of it two-byte, and
 * encoding a page takes longer than making it.
 */
export function envelopeBytes(name: string, items: readonly string[], nowMs: number): Buffer {
  const whole = envelope(name, '', nowMs);
  const parts: Buffer[] = [Buffer.from(whole.slice(0, -2))];
  for (const [index, item] of items.entries()) parts.push(Buffer.from(index === 0 ? item : `,${item}`));
  parts.push(Buffer.from(whole.slice(-2)));
  return Buffer.concat(parts);
}

/** Wraps the JSON text of an array in Xero's envelope. `more` is JSON text of further members, each ending in a comma. */
export function envelope(name: string, items: string, nowMs: number, more = ''): string {
  return `{"Id":"${randomUUID()}","Status":"OK","ProviderName":"Daybook sandbox","DateTimeUTC":"\\/Date(${nowMs})\\/",${more}"${name}":[${items}]}`;
}
