import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { dateSpellings } from '../support/date-spellings.ts';
import { drawSeed } from '../support/observe.ts';

let database: TestDatabase;
let pool: TestDatabase['pool'];
beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool;
});
afterAll(() => database.drop());

test('an instant of Xero’s is exact to the millisecond, whatever its offset', async () => {
  const [from, to] = [Date.UTC(1000, 0, 1), Date.UTC(9999, 11, 31, 23, 59, 59, 999)];
  const instants = fc.sample(
    fc.record({
      ms: fc.oneof(
        fc.integer({ min: from, max: to }),
        fc.integer({ min: 0, max: 3e12 }),
        fc.integer({ min: -10_000, max: 10_000 }),
      ),
      offset: fc.constantFrom('+0000', '+0000', '+1300', '-0800', ''),
    }),
    { numRuns: 5_000, seed: drawSeed('instants') },
  );
  const values = instants.map(({ ms, offset }) => `/Date(${ms}${offset})/`);
  const { rows } = await pool.query<{ ms: string; day: number }>(
    `select trim_scale(extract(epoch from daybook.xero_instant(value)) * 1000)::text as ms,
            daybook.xero_date(value) - date '1970-01-01' as day
       from unnest($1::text[]) with ordinality as v (value, n) order by n`,
    [values],
  );
  expect(rows).toEqual(instants.map(({ ms }) => ({ ms: String(ms), day: Math.floor(ms / 86_400_000) })));
});

test.each([
  '/Date(+0000)/',
  '/Date(-+0000)/',
  '/Date(1-2+0000)/',
  '/Date(0x1F+0000)/',
  '/Date(1_000+0000)/',
  '/Date( 1+0000)/',
  '/Date(1_39993600000+0000)/',
  '/Date(153999360000 +0000)/',
  '/Date(15399936000OO+0000)/',
  '/Date(1+0000)/ ',
  '/Date(1+0000+0000)/',
  '/Date(1+0100+0000)/',
  '/Date(1.5+0000)/',
  '/Date(99999999999999999999+0000)/',
  '/Date(9223372036854775807+0000)/',
  'Date(1+0000)',
  'yesterday',
  '',
])('what is no date of Xero’s is refused: %s', async (value) => {
  await expect(pool.query('select daybook.xero_instant($1)', [value])).rejects.toMatchObject({ code: /^22/ });
});

test.each(dateSpellings)(
  'an instant is read in whichever way it may be spelt, and nothing else is: %s',
  async (spelling, second) => {
    const asked = pool.query<{ second: number | null }>(
      'select floor(extract(epoch from daybook.xero_instant($1)))::float8 as second',
      [spelling],
    );
    // Postgres tells the run which rows go to quarantine by such a code.
    if (second === null) await expect(asked).rejects.toMatchObject({ code: /^22/ });
    else expect((await asked).rows).toEqual([{ second }]);
  },
);

test.each([
  ['/Date(1704103872567+1300)/', '2024-01-01'],
  ['2024-01-01', '2024-01-01'],
  ['2024-01-01 00:00:00', '2024-01-01'],
  ['2024-01-01T00:00:00+13:00', '2024-01-01'],
  ['2024-01-01T23:00:00-08:00', '2024-01-01'],
])('a day is the one that is written: %s', async (spelling, day) => {
  const { rows } = await pool.query('select daybook.xero_date($1)::text as day', [spelling]);
  expect(rows).toEqual([{ day }]);
});

test.each(['2024-02-30', '2024-01-01+16:00', '01/02/2024', 'today', ''])(
  'what is no day is refused: %s',
  async (value) => {
    await expect(pool.query('select daybook.xero_date($1)', [value])).rejects.toMatchObject({ code: /^22/ });
  },
);

test('no date is no date', async () => {
  const { rows } = await pool.query('select daybook.xero_instant(null) as instant, daybook.xero_date(null) as date');
  expect(rows).toEqual([{ instant: null, date: null }]);
});
