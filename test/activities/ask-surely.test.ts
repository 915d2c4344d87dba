import fc from 'fast-check';
import { expect, test } from 'vitest';
import { askSurely } from '../../activities/ask-surely.ts';
import type { CallOutcome } from '../../activities/call-xero.ts';
import { largestJournalId } from '../../model/request.ts';
import type { AnsweredJournals } from '../../xero/api.ts';
import { readJournalPage } from '../../xero/pages.ts';

interface Feed {
  /** True numbers, ascending. */
  numbers: number[];
  /** What a journal says instead of its number, until it has come so many times. */
  wrong: Map<number, { says: number; times: number }>;
}

/** Reads a feed to its end as an import does, a page at a time. */
async function readAll({ numbers, wrong }: Feed, rowsAPage: number) {
  const got = new Set<number>();
  const putAside = new Set<number>();
  let calls = 0;
  const sent = new Map<Buffer, { number: number; says: number }[]>();
  const ask = async (offset: number): Promise<CallOutcome<AnsweredJournals>> => {
    calls++;
    const rows = numbers
      .filter((number) => number > offset)
      .slice(0, rowsAPage)
      .map((number) => {
        const lie = wrong.get(number);
        return { number, says: lie !== undefined && lie.times-- > 0 ? lie.says : number };
      });
    const body = Buffer.from(JSON.stringify({ Journals: rows.map(({ says }) => ({ JournalNumber: says })) }));
    sent.set(body, rows);
    const page = readJournalPage(body);
    if (page.kind === 'notAPage') throw new Error(page.problem);
    const limits = { dayRemaining: null, minuteRemaining: null, appMinuteRemaining: null };
    return { kind: 'answered', latencyMs: 0, answer: { ...page, kind: 'answered', body, limits, correlationId: null } };
  };
  for (let cursor = 0; ; ) {
    const outcome = await askSurely(cursor, ask);
    if (outcome.kind !== 'answered') throw new Error(outcome.kind);
    const { body, lastNumber, wrong: told } = outcome.answer;
    for (const { number, says } of sent.get(body) ?? []) {
      if (told?.includes(says) || says > largestJournalId) putAside.add(number);
      else if (says <= (lastNumber ?? 0)) got.add(says);
    }
    if (lastNumber === null) return { got, putAside, calls };
    expect(lastNumber).toBeGreaterThan(cursor);
    cursor = lastNumber;
  }
}

const gaps = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 3_000_000 }) },
);
const feeds = fc.array(gaps, { minLength: 1, maxLength: 300 }).map((steps) => {
  let number = 0;
  return steps.map((step) => (number += step));
});

test('no journal of a feed with gaps of any size is lost or put aside, and a wide one costs two calls at the most, one more at the end', async () => {
  await fc.assert(
    fc.asyncProperty(feeds, async (numbers) => {
      const { got, putAside, calls } = await readAll({ numbers, wrong: new Map() }, 20);
      expect([...got]).toEqual(numbers);
      expect(putAside.size).toBe(0);
      const wide = numbers.filter((number, index) => number - (numbers[index - 1] ?? 0) > 100).length;
      // Of a page of two, both behind wide gaps, the first is asked about twice: as few journals are never the lower half of a page.
      const lastTwo = wide > 1 ? 1 : 0;
      expect(calls).toBeLessThanOrEqual(Math.ceil(numbers.length / 20) + 1 + 2 * wide + lastTwo);
    }),
  );
});

test('a journal that comes with a wrong number costs no other: it is put aside while it does, and stored where the fault passes', async () => {
  const lies = fc.record({
    at: fc.nat(),
    far: fc.boolean(),
    says: fc.integer({ min: 5e8, max: 2e9 }),
    passes: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(feeds, lies, async (numbers, { at, far, says, passes }) => {
      const liar = numbers[at % numbers.length] ?? 0;
      const lie = { says: far ? says + 2 ** 31 : says, times: passes ? 1 : Number.POSITIVE_INFINITY };
      const { got, putAside } = await readAll({ numbers, wrong: new Map([[liar, lie]]) }, 20);
      expect([...got].sort((one, other) => one - other)).toEqual(
        passes ? numbers : numbers.filter((each) => each !== liar),
      );
      expect([...putAside]).toEqual(passes ? [] : [liar]);
    }),
    { numRuns: 200 },
  );
}, 60_000);
