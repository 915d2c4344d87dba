import { money } from '../money.ts';
import { seededUuid } from '../seeded.ts';
import type { Chart } from './chart.ts';
import type { Journal, JournalLine } from './journal.ts';
import type { TrackingCategory, TrackingTag } from './tracking.ts';

/** One line as a test or a person writes it. Amounts are decimal text, so that they stay what was written. */
export interface LineDraft {
  /** Account code, or name for an account without one. */
  account: string;
  net: string;
  tax?: string;
  id?: string;
  description?: string;
  taxType?: string;
  taxName?: string;
  /** `[category, option]` names, at most two. */
  tracking?: [category: string, option: string][];
}

/** A journal to inject. Everything left out gets a sensible value; `{}` is a balanced sale of 100.00. */
export interface JournalDraft {
  id?: string;
  /** `YYYY-MM-DD`, or milliseconds since 1970. Default: the day of `created`. */
  date?: string | number;
  /** Milliseconds since 1970. Default: now. */
  created?: number;
  reference?: string;
  sourceType?: string;
  sourceId?: string;
  /** null answers `"JournalLines":null`. */
  lines?: LineDraft[] | null;
  /** Fields to leave out of the answer, by their name on the wire. */
  omit?: string[];
  /** JSON text to answer with instead. The sums still count `lines`. */
  json?: string;
  /** Allow lines that do not sum to zero. Without it they are refused: a slip in a test is likelier than a wish. */
  unbalanced?: boolean;
}

const DAY = 86_400_000;

/** The tags that a line's `[category, option]` names mean. Throws when there is no such option. */
export function tagsOf(tracking: readonly TrackingCategory[], line: Pick<LineDraft, 'tracking'>): TrackingTag[] {
  return (line.tracking ?? []).map(([categoryName, optionName]) => {
    const category = tracking.find((each) => each.name === categoryName);
    const option = category?.options.find((each) => each.name === optionName);
    if (!category || !option) throw new Error(`The sandbox has no tracking option "${categoryName}: ${optionName}".`);
    return { category, option };
  });
}

/** Turns a draft into a journal. Throws a sentence when it names what does not exist or does not balance. */
export function journalFromDraft(
  draft: JournalDraft,
  number: number,
  from: { chart: Chart; tracking: readonly TrackingCategory[]; seed: number; now: number },
): Journal {
  const created = draft.created ?? from.now;
  const drafted: LineDraft[] | null =
    draft.lines === undefined
      ? [
          { account: '610', net: '100.00' },
          { account: '200', net: '-100.00', description: 'Posted while running', taxType: 'NONE', taxName: 'No GST' },
        ]
      : draft.lines;
  const lines =
    drafted?.map((line): JournalLine => {
      const account = from.chart.find(line.account);
      const net = money(line.net);
      const tax = money(line.tax ?? '0');
      return {
        account,
        accountName: account.name,
        net,
        gross: net + tax,
        tax,
        tracking: tagsOf(from.tracking, line),
        ...(line.id === undefined ? {} : { id: line.id }),
        ...(line.description === undefined ? {} : { description: line.description }),
        ...(line.taxType === undefined ? {} : { taxType: line.taxType }),
        ...(line.taxName === undefined ? {} : { taxName: line.taxName }),
      };
    }) ?? null;
  const sum = lines?.reduce((total, line) => total + line.net, 0n) ?? 0n;
  if (sum !== 0n && draft.unbalanced !== true) {
    throw new Error(`Journal ${number} does not balance; set "unbalanced": true if that is meant.`);
  }
  const sourceType = draft.sourceType ?? (draft.sourceId === undefined ? 'ACCREC' : undefined);
  return {
    number,
    date:
      typeof draft.date === 'string'
        ? Date.parse(`${draft.date}T00:00:00Z`)
        : (draft.date ?? Math.floor(created / DAY) * DAY),
    created,
    lines,
    ...(draft.id === undefined ? {} : { id: draft.id }),
    ...(draft.reference === undefined ? {} : { reference: draft.reference }),
    ...(sourceType === undefined ? {} : { sourceType }),
    sourceId: draft.sourceId ?? seededUuid(from.seed ^ 0xd4af, number),
    ...(draft.omit === undefined ? {} : { omit: draft.omit }),
    ...(draft.json === undefined ? {} : { json: draft.json }),
  };
}
