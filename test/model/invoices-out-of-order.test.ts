import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  afterPage,
  type InvoicePlace,
  invoicesStartingPoint,
  isByNumber,
  isInOrder,
  modifiedSinceOf,
  overToNumbers,
  watermarkAfter,
} from '../../model/invoice-cursor.ts';
import { pagesTold } from '../../model/pagination.ts';
import { drawSeed } from '../support/observe.ts';

interface Row {
  id: number;
  second: number;
  /** Xero sends no UpdatedDateUTC with it. */
  undated: boolean;
}

interface Server {
  order: 'updated' | 'descending' | 'entered' | 'scrambled';
  heedsSince: boolean;
  exclusive: boolean;
  pageSize: number;
  paginates: boolean;
}

/** Books behind a server that may heed neither the order that is asked for nor If-Modified-Since, and what was read of them. */
class World {
  readonly rows: Row[];
  readonly read = new Map<number, number>();
  now = 100_000;
  watermark = 0;
  calls = 0;
  readonly #server: Server;
  #place: InvoicePlace | null = null;
  #begin = 0;
  /** By chance pages stood in order and passed over something; only what stands out of order can be noticed. */
  fooled = false;
  #wasFooled = false;

  constructor(server: Server, rows: Row[]) {
    this.#server = server;
    this.rows = rows;
  }

  edit(chosen: number): void {
    this.now += chosen % 3;
    const row = this.rows[chosen % (this.rows.length + 1)];
    if (row) row.second = this.now;
    else this.rows.push({ id: this.rows.length, second: this.now, undated: false });
  }

  begin(full = false): void {
    this.#wasFooled = this.fooled && !full;
    this.fooled = this.#wasFooled;
    this.#begin = invoicesStartingPoint({ full }, null, this.watermark).cursor ?? 0;
    this.#place = { second: this.#begin, page: 1, beyond: null, closing: 0 };
    this.calls = 0;
  }

  /** One call, and what becomes of its answer; true when the run has ended. A worker that dies stores nothing of it. */
  step(dies = false): boolean {
    this.calls++;
    this.now += 1;
    const place = this.#place as InvoicePlace;
    const { pageSize, paginates } = this.#server;
    const listed = this.#listed(modifiedSinceOf(place));
    const page = Math.abs(place.page);
    const got = listed.slice((page - 1) * pageSize, page * pageSize);
    if (dies) return false;
    for (const { id, second } of got) this.read.set(id, second);
    const dated = got.filter(({ undated }) => !undated).map(({ second }) => second);
    const told = { page, pageSize, pageCount: Math.ceil(listed.length / pageSize), itemCount: listed.length };
    const facts = {
      count: got.length,
      firstSecond: dated.length === 0 ? null : Math.min(...dated),
      lastSecond: dated.length === 0 ? null : Math.max(...dated),
      ascending: got.every((row, at) => !row.undated && row.second >= (got[at - 1]?.second ?? 0)),
      pageCount: pagesTold(got.length, paginates ? told : {}),
      // Full ones have a hundred at least, and a shorter one is the last; here they are smaller, so the run is told.
      largestSeen: pageSize,
    };
    const askedAt = new Date(this.now * 1_000);
    const goesOn = isByNumber(place) || isInOrder(place, facts);
    const { next, ended } = goesOn ? afterPage(place, facts) : overToNumbers(place, facts, this.#begin, askedAt);
    if (got.length > 0 || !ended) {
      this.watermark = watermarkAfter(this.watermark, place, next, askedAt);
      this.#place = next;
    }
    if (isByNumber(next)) this.fooled = this.#wasFooled;
    else if (this.#server.order !== 'updated')
      this.fooled ||= this.rows.some(({ id, second }) => second < next.second && this.read.get(id) !== second);
    return ended;
  }

  #listed(since: number | null): Row[] {
    const { order, heedsSince, exclusive } = this.#server;
    const least = since === null || !heedsSince ? 0 : exclusive ? since + 1 : since;
    const key: Record<Server['order'], (row: Row) => number> = {
      updated: ({ second }) => second,
      descending: ({ second }) => -second,
      entered: ({ id }) => id,
      scrambled: ({ id }) => (id * 7_919) % 1_009,
    };
    return this.rows
      .filter(({ second, undated }) => undated || second >= least)
      .toSorted((a, b) => key[order](a) - key[order](b) || a.id - b.id);
  }
}

const server = fc.record<Server>({
  order: fc.constantFrom('updated', 'descending', 'entered', 'scrambled'),
  heedsSince: fc.boolean(),
  exclusive: fc.boolean(),
  pageSize: fc.integer({ min: 1, max: 12 }),
  paginates: fc.boolean(),
});
const books = fc.array(
  fc.record({
    second: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 90_000 })),
    undated: fc.integer({ min: 0, max: 30 }),
  }),
  { maxLength: 80 },
);
const shape = fc.record({
  server,
  books,
  full: fc.boolean(),
  edits: fc.array(fc.nat(), { maxLength: 40 }),
  editsACall: fc.integer({ min: 0, max: 4 }),
  deaths: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 5 }),
  cancelledAfter: fc.option(fc.integer({ min: 1, max: 30 })),
});

function worldOf(the: Server, made: { second: number; undated: number }[]) {
  return new World(
    the,
    made.map(({ second, undated }, id) => ({ id, second, undated: undated === 1 })),
  );
}

/** Forwards and backwards through one second, and through the one after it, until the next shows that "since" is not heeded; then the list, in both ways, and what was changed. */
function mostCalls({ rows }: World, { pageSize }: Server, edits: number): number {
  const pages = Math.ceil(rows.length / pageSize) + 1;
  return 8 * pages + new Set(rows.map(({ second }) => second)).size + 2 * edits + 20;
}

test('whatever the order, “since” or not: an import ends, and has all that nobody edited meanwhile; the next has the rest', () => {
  let noticed = 0;
  fc.assert(
    fc.property(shape, ({ server: the, books: made, full, edits, editsACall, deaths, cancelledAfter }) => {
      const world = worldOf(the, made);
      const left = [...edits];
      const edited = new Set<number>();
      const run = (mostSteps: number | null, isFull: boolean) => {
        const before = world.rows.map((row) => ({ ...row }));
        edited.clear();
        world.begin(isFull);
        for (let step = 1; ; step++) {
          for (const chosen of left.splice(0, editsACall)) {
            edited.add(chosen % (world.rows.length + 1));
            world.edit(chosen);
          }
          if (world.step(deaths.includes(step))) break;
          if (step === mostSteps) return;
          expect(step).toBeLessThan(mostCalls(world, the, edits.length) + deaths.length);
        }
        if (world.fooled) return;
        for (const { id, second } of before) {
          if (!edited.has(id)) expect([id, world.read.get(id)]).toEqual([id, second]);
        }
      };
      if (cancelledAfter !== null) run(cancelledAfter, false);
      run(null, full);
      if (world.fooled) return;
      noticed++;
      // The books rest, and what was edited last has settled.
      left.length = 0;
      world.now += 400;
      run(null, false);
      for (const { id, second } of world.rows) expect([id, world.read.get(id)]).toEqual([id, second]);
    }),
    { numRuns: 10_000, seed: drawSeed('lists out of order') },
  );
  expect(noticed).toBeGreaterThan(5_000);
});

test.each<[string, Partial<Server>, number, number]>([
  ['that keeps no order', { order: 'scrambled' }, 10 + 9 + 1, 1],
  ['that does not heed “since”', { heedsSince: false }, 2 + 10 + 9 + 1, 10 + 9 + 1],
  ['that does neither', { order: 'scrambled', heedsSince: false }, 10 + 9 + 1, 10 + 9 + 1],
])('a server %s is read in so many calls, and again', (_, faults, first, again) => {
  const the: Server = {
    order: 'updated',
    heedsSince: true,
    exclusive: false,
    pageSize: 10,
    paginates: true,
    ...faults,
  };
  const world = worldOf(
    the,
    Array.from({ length: 95 }, (_, at) => ({ second: 60 * (at + 1), undated: 0 })),
  );
  const calls = () => {
    world.begin();
    while (!world.step());
    return world.calls;
  };
  expect(calls()).toBe(first);
  expect(world.read.size).toBe(95);
  expect(world.watermark).toBeGreaterThan(99_000);
  world.now += 400;
  expect(calls()).toBe(again);
});

test('read by page number, a short page that does not say how many there are is not the end', () => {
  const place: InvoicePlace = { second: 0, page: 1, beyond: null, closing: 0 };
  const page = { count: 50, firstSecond: 1, lastSecond: 9, ascending: false, pageCount: null, largestSeen: 0 };
  const { next, ended } = overToNumbers(place, page, 0, new Date());
  expect([next.page, ended]).toEqual([2, false]);
  expect(afterPage(next, { ...page, count: 0 }).next.page).toBe(-1);
});
