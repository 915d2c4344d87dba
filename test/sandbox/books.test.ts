import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Books, makeBooks } from '../../sandbox/books/books.ts';
import { SOURCE_TYPES } from '../../sandbox/books/journal.ts';
import { numbering } from '../../sandbox/books/numbering.ts';
import { writeJournal } from '../../sandbox/books/written.ts';
import { money, moneyText } from '../../sandbox/money.ts';

const NOW = Date.parse('2026-11-22T00:00:00Z');
const books = (seed: number, journals: number, gapRate = 0.02): Books =>
  makeBooks({ seed, journals, gapRate, now: NOW }, () => NOW);

/** Reads from page to page as an importer does. */
function paged(ledger: Books, limit = 100): number[] {
  const numbers: number[] = [];
  for (;;) {
    const page = ledger.page(numbers.at(-1) ?? 0, limit);
    if (page.length === 0) return numbers;
    numbers.push(...page.map((journal) => journal.number));
  }
}

const shape = {
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  journals: fc.integer({ min: 0, max: 700 }),
  gapRate: fc.constantFrom(0, 0.02, 0.3, 0.8),
};

describe('books', () => {
  it('every journal sums to zero, on both bases', () => {
    fc.assert(
      fc.property(fc.record(shape), ({ seed, journals, gapRate }) => {
        const made = books(seed, journals, gapRate);
        for (const ledger of [made, made.cash]) {
          for (const { lines } of ledger.journals()) expect(lines?.reduce((sum, line) => sum + line.net, 0n)).toBe(0n);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('paging by offset meets every number exactly once, whatever the gaps and the injected journals', () => {
    fc.assert(
      fc.property(
        fc.record(shape),
        fc.integer({ min: 1, max: 130 }),
        fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 8 }),
        ({ seed, journals, gapRate }, limit, put) => {
          const made = books(seed, journals, gapRate);
          const expected = new Set([...made.numbers()]);
          for (const number of put) expected.add(made.put(number, { reference: 'late' }));
          expected.add(made.append());
          const numbers = paged(made, limit);
          expect(numbers).toEqual([...expected].sort((a, b) => a - b));
          expect(made.count).toBe(numbers.length);
          expect(made.lastNumber).toBe(numbers.at(-1));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('positions and numbers are each other’s inverse', () => {
    fc.assert(
      fc.property(fc.record(shape), ({ seed, journals, gapRate }) => {
        const map = numbering(seed, journals, gapRate);
        for (let position = 0; position < journals; position += 7) {
          const number = map.numberAt(position);
          expect(map.countUpTo(number)).toBe(position + 1);
          expect(map.countUpTo(number - 1)).toBe(position);
        }
        expect(map.countUpTo(1e15)).toBe(journals);
      }),
      { numRuns: 40 },
    );
  });

  it('one seed is one set of books, and a journal does not depend on how it was reached', () => {
    const [one, two] = [books(7, 900), books(7, 900)];
    const written = [...one.journals()].map((journal) => writeJournal(journal, one.idSeed));
    const fromTheMiddle = two.page(500, 100).map((journal) => writeJournal(journal, two.idSeed));
    expect(written).toEqual(expect.arrayContaining(fromTheMiddle));
    expect(books(8, 900).summary()).not.toEqual(one.summary());
  });

  it('ids repeat nowhere, not between the bases either', () => {
    const made = books(3, 3000);
    const ids = [made, made.cash].flatMap((ledger) =>
      [...ledger.journals()].flatMap(
        (journal) => writeJournal(journal, ledger.idSeed).match(/"Journal(Line)?ID":"[^"]+"/g) ?? [],
      ),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('hold every source type, none at all, reversals, gaps, back-dated journals and awkward amounts', () => {
    const made = books(1, 4000);
    const all = [...made.journals()];
    expect(new Set(all.map((journal) => journal.sourceType))).toEqual(new Set([undefined, ...SOURCE_TYPES]));
    expect(made.lastNumber).toBeGreaterThan(4040);
    const created = all.map((journal) => journal.created);
    expect(created).toEqual(created.toSorted((a, b) => a - b));
    expect(created.at(-1)).toBeLessThan(NOW);
    expect(all.some((journal) => journal.created - journal.date > 30 * 86_400_000)).toBe(true);
    const nets = all.flatMap((journal) => journal.lines ?? []).map((line) => line.net);
    expect(nets.some((net) => net % 100n !== 0n)).toBe(true);
    expect(nets.some((net) => net > 10n ** 16n)).toBe(true);
    const [a, b, c] = [all[9], all[20], all[21]];
    expect(b?.sourceId).toBe(a?.sourceId);
    expect(c?.sourceId).toBe(a?.sourceId);
    expect(b?.lines?.map((line) => -line.net)).toEqual(a?.lines?.map((line) => line.net));
    expect(b?.created).toBe(c?.created);
    expect(b?.date).toBe(a?.date);
  });

  it('summaries are exact, also beyond what a double holds, and follow their filters', () => {
    const made = books(5, 300);
    const before = made.summary();
    const first = made.special('largestAmount');
    const after = made.summary();
    expect(money(after.debits) - money(before.debits)).toBe(money('90071992547409.93'));
    expect(after.debits).toBe(after.credits);
    expect(made.summary({ from: first, to: first })).toMatchObject({ count: 1, debits: '90071992547409.93' });
    const half = made.page(150, 1)[0]?.created ?? 0;
    const expected = [...made.journals()].filter((journal) => journal.created >= half).length;
    expect(made.summary({ createdSince: half }).count).toBe(expected);
  });

  it('amounts go to text and back unchanged', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (value) => {
        expect(money(moneyText(value))).toBe(value);
      }),
    );
    expect([moneyText(0n), moneyText(-1n), moneyText(125_000n), moneyText(-5_500n)]).toEqual([
      '0.00',
      '-0.0001',
      '12.50',
      '-0.55',
    ]);
  });

  it('a million journals start at once and any page of them is near', () => {
    const began = performance.now();
    const made = makeBooks({ seed: 1, journals: 1_000_000, now: NOW }, () => NOW);
    const page = made.page(900_000, 100);
    const took = performance.now() - began;
    expect(page).toHaveLength(100);
    expect(page[0]?.number).toBeGreaterThan(900_000);
    expect(took).toBeLessThan(5000);
  });
});
