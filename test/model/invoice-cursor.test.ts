import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterPage, type InvoicePlace, isComplete, modifiedSinceOf } from '../../model/invoice-cursor.ts';

interface Row {
  id: number;
  second: number;
}

/** Reads rows as an import does, from a list that is edited before each call: an edited row goes to the end, a new one too. */
function readAll(rows: Row[], pageSize: number, exclusive: boolean, says: boolean, edit: (rows: Row[]) => void) {
  const read = new Map<number, number>();
  let place: InvoicePlace = { second: 0, page: 1, beyond: null, closing: 0 };
  let largest = 0;
  for (let calls = 1; calls < 2_000; calls++) {
    edit(rows);
    rows.sort((a, b) => a.second - b.second || a.id - b.id);
    const since = modifiedSinceOf(place);
    const listed = rows.filter(({ second }) => since === null || (exclusive ? second > since : second >= since));
    const page = Math.abs(place.page);
    const got = listed.slice((page - 1) * pageSize, page * pageSize);
    for (const { id, second } of got) read.set(id, Math.max(second, read.get(id) ?? 0));
    const lastSecond = got.length === 0 ? null : Math.max(...got.map(({ second }) => second));
    const complete = isComplete(got.length, page, says ? Math.ceil(listed.length / pageSize) : null, largest);
    const after = afterPage(place, { count: got.length, lastSecond, complete });
    largest = Math.max(largest, got.length);
    place = after.next;
    if (after.ended) return read;
  }
  throw new Error('The reading never ended.');
}

const shape = fc.record({
  seconds: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 120 }),
  pageSize: fc.integer({ min: 3, max: 20 }),
  exclusive: fc.boolean(),
  says: fc.boolean(),
  edits: fc.array(fc.nat(), { maxLength: 40 }),
});

test('every row that existed at the start is read at a state no older, whatever is edited between the calls', () => {
  fc.assert(
    fc.property(shape, ({ seconds, pageSize, exclusive, says, edits }) => {
      const rows = seconds.map((second, id) => ({ id, second }));
      const before = rows.map((row) => ({ ...row }));
      let now = 20;
      const read = readAll(rows, pageSize, exclusive, says, (all) => {
        const chosen = edits.shift();
        if (chosen === undefined) return;
        now += chosen % 2;
        const row = all[chosen % (all.length + 1)];
        if (row) row.second = now;
        else all.push({ id: all.length, second: now });
      });
      for (const { id, second } of before) expect(read.get(id) ?? 0).toBeGreaterThanOrEqual(second);
    }),
    { numRuns: 2_000 },
  );
});

test('what does not change is read with one call more than it has pages', () => {
  const rows = Array.from({ length: 35 }, (_, id) => ({ id, second: 2 * id + 1 }));
  let calls = 0;
  readAll(rows, 10, false, true, () => {
    calls++;
  });
  // Each page after the first begins with the last row of the one before.
  expect(calls).toBe(5);
});
