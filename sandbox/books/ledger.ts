import { seededUuid } from '../seeded.ts';
import { type JournalDraft, journalFromDraft } from './draft.ts';
import { extras } from './extras.ts';
import { type Generated, type GeneratedOptions, generatedJournals } from './generated.ts';
import { type HiddenNumbers, hiddenNumbers } from './hidden.ts';
import type { Journal, JournalLine } from './journal.ts';
import { type SpecialKind, specialDraft } from './special.ts';
import { type LedgerSummary, type SummaryFilter, summarise } from './summary.ts';
import { journalIdOf } from './written.ts';

/** One series of journals (accrual or cash): made by seed, plus whatever was injected. */
export interface Ledger {
  readonly basis: 'accrual' | 'cash';
  readonly count: number;
  /** 0 when there are no journals. */
  readonly lastNumber: number;
  /** Ids of the series' generated journals are made from it. */
  readonly idSeed: number;
  readonly generated: Generated;
  /** The next `limit` journals after number `offset`, ascending; with `createdSince` only those created then or later. */
  page(offset: number, limit: number, createdSince?: number): Journal[];
  /** By number or id. */
  find(key: string): Journal | undefined;
  numbers(): IterableIterator<number>;
  journals(): IterableIterator<Journal>;
  /** Posts at the head, under the next number; answers the number. */
  append(draft?: JournalDraft): number;
  /** Posts under a given number: fills a gap (a late lower number) or replaces a generated journal. */
  put(number: number, draft: JournalDraft): number;
  /** Posts one of the special journals, at the head or under a given number. */
  special(kind: SpecialKind, number?: number): number;
  /** Generated journals that are not visible yet, ascending; `count`, `numbers`, `journals` and `summary` have them all the same. */
  hidden(): number[];
  hide(numbers: readonly number[]): void;
  /** Makes hidden journals visible: those numbers, or all. */
  reveal(numbers?: readonly number[]): void;
  /** Dates and lines of all visible journals: what reports are summed from. */
  entries(): IterableIterator<{ date: number; lines: readonly JournalLine[] }>;
  /** The oracle: exact sums of all journals, or of those a filter admits. Reads the whole ledger, about 3 s a million. */
  summary(filter?: SummaryFilter): LedgerSummary;
}

export function ledger(options: GeneratedOptions, now: () => number): Ledger {
  const { numbering } = options;
  const generated = generatedJournals(options);
  const injected = extras();
  const idSeed = seededIdSeed(options);
  const hidden: HiddenNumbers = hiddenNumbers(options, now);
  let overridden = 0;
  const lastGenerated = numbering.numberAt(numbering.count - 1);

  function lastNumber(): number {
    return Math.max(numbering.count === 0 ? 0 : lastGenerated, injected.at(injected.size - 1)?.number ?? 0);
  }

  /** Where a generated journal stands, or undefined when no generated journal has the number. */
  function positionOf(number: number): number | undefined {
    const position = numbering.countUpTo(number) - 1;
    return position >= 0 && numbering.numberAt(position) === number ? position : undefined;
  }

  /** The first position created at or after `ms`; creation times ascend with positions. */
  function firstCreatedSince(ms: number): number {
    let low = 0;
    let high = numbering.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (generated.createdAt(middle) < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function* walk(
    offset: number,
    createdSince?: number,
    all = true,
  ): Generator<{ number: number; position?: number; journal?: Journal }> {
    let position = Math.max(
      numbering.countUpTo(offset),
      createdSince === undefined ? 0 : firstCreatedSince(createdSince),
    );
    let index = injected.after(offset);
    for (;;) {
      const extra = injected.at(index);
      const number = position < numbering.count ? numbering.numberAt(position) : undefined;
      if (extra && (number === undefined || extra.number <= number)) {
        index++;
        if (extra.number === number) position++;
        if (createdSince === undefined || extra.created >= createdSince) yield { number: extra.number, journal: extra };
      } else if (number !== undefined) {
        if (all || !hidden.has(number)) yield { number, position };
        position++;
      } else return;
    }
  }

  function* journals(): Generator<Journal> {
    for (const { position, journal } of walk(0)) yield journal ?? generated.at(position ?? 0);
  }

  function put(number: number, draft: JournalDraft): number {
    const replaces = injected.get(number) === undefined && positionOf(number) !== undefined;
    injected.put(journalFromDraft(draft, number, { ...options, seed: idSeed, now: now() }));
    if (replaces) overridden++;
    return number;
  }

  const self: Ledger = {
    basis: options.basis,
    idSeed,
    generated,
    get count() {
      return numbering.count + injected.size - overridden;
    },
    get lastNumber() {
      return lastNumber();
    },
    page(offset, limit, createdSince) {
      const found: Journal[] = [];
      hidden.heard();
      if (limit < 1) return found;
      for (const { position, journal } of walk(offset, createdSince, false)) {
        found.push(journal ?? generated.at(position ?? 0));
        if (found.length === limit) break;
      }
      return found;
    },
    find(key) {
      if (/^\d+$/.test(key)) {
        const number = Number(key);
        const position = positionOf(number);
        return (
          injected.get(number) ?? (position === undefined || hidden.has(number) ? undefined : generated.at(position))
        );
      }
      // Ids are made from numbers and not kept, so an id is found by trying the numbers; single gets are rare.
      for (const { number, position, journal } of walk(0, undefined, false)) {
        const id = journal ? journalIdOf(journal, idSeed) : seededUuid(idSeed ^ 0x10a, number);
        if (id === key) return journal ?? generated.at(position ?? 0);
      }
      return undefined;
    },
    *numbers() {
      for (const each of walk(0)) yield each.number;
    },
    journals,
    hidden: hidden.list,
    hide: hidden.hide,
    reveal: hidden.reveal,
    *entries() {
      for (const { position = 0, journal } of walk(0, undefined, false))
        yield journal
          ? { date: journal.date, lines: journal.lines ?? [] }
          : { date: generated.dateAt(position), lines: generated.linesAt(position) };
    },
    append: (draft = {}) => put(lastNumber() + 1, draft),
    put,
    special: (kind, number = lastNumber() + 1) => put(number, specialDraft(kind, number)),
    summary(filter) {
      function* entries() {
        for (const { number, position, journal } of walk(
          filter?.from === undefined ? 0 : filter.from - 1,
          filter?.createdSince,
        )) {
          if (filter?.to !== undefined && number > filter.to) return;
          yield { number, lines: journal ? (journal.lines ?? []) : generated.linesAt(position ?? 0) };
        }
      }
      return summarise(entries());
    },
  };
  return self;
}

function seededIdSeed(options: GeneratedOptions): number {
  return options.basis === 'cash' ? (options.seed ^ 0x5ca5_4000) >>> 0 : options.seed;
}
