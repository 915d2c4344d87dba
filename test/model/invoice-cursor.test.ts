import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  afterPage,
  type InvoicePlace,
  invoicesStartingPoint,
  isInOrder,
  modifiedSinceOf,
  watermarkAfter,
} from '../../model/invoice-cursor.ts';
import { pagesTold } from '../../model/pagination.ts';
import { drawSeed } from '../support/observe.ts';

interface Row {
  id: number;
  second: number;
  /** Which of a second's rows was edited last. */
  turn: number;
}

/** What pages say of how many there are: the truth, nothing, that each is the only one, or that its own rows are all. */
type Says = 'truth' | 'nothing' | 'onePage' | 'ownRows';

function paginationOf(says: Says, { page, pageSize, of, count }: Record<'page' | 'pageSize' | 'of' | 'count', number>) {
  if (says === 'nothing') return {};
  if (says === 'truth') return { page, pageSize, pageCount: Math.ceil(of / pageSize), itemCount: of };
  return { page, pageSize, pageCount: 1, itemCount: says === 'ownRows' ? count : of };
}

/** What a page in order says of its rows. */
function factsOf(rows: { second: number }[]) {
  const [firstSecond, lastSecond] = [rows[0]?.second ?? null, rows.at(-1)?.second ?? null];
  return { count: rows.length, firstSecond, lastSecond, ascending: true };
}

/** Reads rows as an import does, from a list that is edited before each call: an edited row goes to the end, a new one too. */
function readAll(rows: Row[], pageSize: number, exclusive: boolean, says: Says, edit: (rows: Row[]) => void) {
  const read = new Map<number, number>();
  let place: InvoicePlace = { second: 0, page: 1, beyond: null, closing: 0 };
  let largest = 0;
  for (let calls = 1; calls < 2_000; calls++) {
    edit(rows);
    rows.sort((a, b) => a.second - b.second || a.turn - b.turn);
    const since = modifiedSinceOf(place);
    const listed = rows.filter(({ second }) => since === null || (exclusive ? second > since : second >= since));
    const page = Math.abs(place.page);
    const got = listed.slice((page - 1) * pageSize, page * pageSize);
    for (const { id, second } of got) read.set(id, Math.max(second, read.get(id) ?? 0));
    const said = paginationOf(says, { page, pageSize, of: listed.length, count: got.length });
    const facts = { ...factsOf(got), pageCount: pagesTold(got.length, said), largestSeen: largest };
    expect(isInOrder(place, facts)).toBe(true);
    const after = afterPage(place, facts);
    largest = Math.max(largest, got.length);
    place = after.next;
    if (after.ended) return read;
  }
  throw new Error('The reading never ended.');
}

const shape = fc.record({
  // Few seconds with many rows each, too: more of one than a page holds is what is difficult.
  seconds: fc.oneof(
    fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 120 }),
    fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 10 }),
  ),
  pageSize: fc.integer({ min: 2, max: 20 }),
  exclusive: fc.boolean(),
  says: fc.constantFrom<Says[]>('truth', 'nothing', 'onePage', 'ownRows'),
  edits: fc.array(fc.nat(), { maxLength: 40 }),
  editsACall: fc.integer({ min: 1, max: 3 }),
});

test('every row that existed at the start is read at a state no older, whatever is edited between the calls', () => {
  fc.assert(
    fc.property(shape, ({ seconds, pageSize, exclusive, says, edits, editsACall }) => {
      const rows = seconds.map((second, id) => ({ id, second, turn: id }));
      const before = rows.map((row) => ({ ...row }));
      let now = Math.max(0, ...seconds) + 1;
      let turn = rows.length;
      const read = readAll(rows, pageSize, exclusive, says, (all) => {
        for (const chosen of edits.splice(0, editsACall)) {
          now += chosen % 2;
          const row = all[chosen % (all.length + 1)];
          if (row) Object.assign(row, { second: now, turn: turn++ });
          else all.push({ id: all.length, second: now, turn: turn++ });
        }
      });
      for (const { id, second } of before) expect(read.get(id) ?? 0).toBeGreaterThanOrEqual(second);
    }),
    { numRuns: 10_000, seed: drawSeed('edits between calls') },
  );
});

test('what leaves a second between the two ways through it is found behind it', () => {
  const [a, b, c, d] = [0, 1, 2, 3].map((id) => ({ id, second: 1, turn: id })) as [Row, Row, Row, Row];
  let calls = 0;
  const read = readAll([a, b, c, d], 2, false, 'truth', () => {
    calls++;
    // Still in the same second: the third is now on the first page, which has been read.
    if (calls === 3) a.turn = 4;
    if (calls === 4) Object.assign(c, { second: 2, turn: 5 });
  });
  expect([...read].sort()).toEqual([
    [0, 1],
    [1, 1],
    [2, 2],
    [3, 1],
  ]);
});

/** What is done to the books before a call: which row, how it is dated, and how late it is seen. */
const deed = fc.record({
  row: fc.nat(),
  how: fc.constantFrom('edit', 'edit', 'add', 'dateAhead', 'addUnseen', 'sleep'),
  seconds: fc.integer({ min: 0, max: 250 }),
});

test('what is dated ahead of the clock, or seen late, hides nothing: when the books rest, the next run has it all', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.array(deed, { maxLength: 3 }), { maxLength: 8 }), { maxLength: 5 }), (runs) => {
      const rows = Array.from({ length: 12 }, (_, id) => ({ id, second: 10_000 + 40 * id, seenFrom: 0 }));
      const read = new Map<number, number>();
      let now = 11_000;
      let watermark = 0;
      const run = (deeds: { row: number; how: string; seconds: number }[][]) => {
        let place: InvoicePlace = {
          second: invoicesStartingPoint({}, null, watermark).cursor ?? 0,
          page: 1,
          beyond: null,
          closing: 0,
        };
        for (let calls = 1; ; calls++) {
          expect(calls).toBeLessThan(200);
          now += 3;
          for (const { row, how, seconds } of deeds.shift() ?? []) {
            const chosen = rows[row % rows.length];
            if (how === 'sleep') now += 10 * seconds;
            else if (how === 'add') rows.push({ id: rows.length, second: now, seenFrom: now });
            else if (how === 'addUnseen') rows.push({ id: rows.length, second: now, seenFrom: now + seconds });
            else if (chosen && chosen.seenFrom <= now) chosen.second = how === 'edit' ? now : now + 10 * seconds;
          }
          rows.sort((a, b) => a.second - b.second || a.id - b.id);
          const since = modifiedSinceOf(place) ?? 0;
          const listed = rows.filter(({ second, seenFrom }) => second >= since && seenFrom <= now);
          const got = listed.slice((Math.abs(place.page) - 1) * 5, Math.abs(place.page) * 5);
          for (const { id, second } of got) read.set(id, second);
          const page = Math.abs(place.page);
          const said = paginationOf('truth', { page, pageSize: 5, of: listed.length, count: got.length });
          const facts = { ...factsOf(got), pageCount: pagesTold(got.length, said), largestSeen: 5 };
          const { next, ended } = afterPage(place, facts);
          if (got.length > 0) watermark = watermarkAfter(watermark, place, next, new Date(now * 1_000));
          if (ended) return;
          place = next;
        }
      };
      for (const deeds of runs) run([...deeds]);
      now += 300;
      run([]);
      for (const { id, second } of rows) expect([id, read.get(id)]).toEqual([id, second]);
    }),
    { numRuns: 3_000, seed: drawSeed('dates ahead, and seen late') },
  );
});

test.each([
  ['the last page short', 35, 5],
  ['the last page full', 28, 4],
])('what does not change is read with one call more than it has pages, %s', (_, count, expected) => {
  const rows = Array.from({ length: count }, (_, id) => ({ id, second: 2 * id + 1, turn: id }));
  let calls = 0;
  readAll(rows, 10, false, 'truth', () => {
    calls++;
  });
  // Each page after the first begins with the last row of the one before.
  expect(calls).toBe(expected);
});
