import { expect, test } from 'vitest';
import { readContactPage, readInvoicePage } from '../../xero/pages.ts';
import { dateSpellings } from '../support/date-spellings.ts';

test.each([
  ['the last of several', 50, { page: 3, pageSize: 100, pageCount: 3, itemCount: 250 }, true],
  ['one with others behind it', 100, { page: 1, pageSize: 100, pageCount: 3, itemCount: 250 }, false],
  ['a full one that calls itself the only one', 100, { page: 1, pageSize: 100, pageCount: 1, itemCount: 100 }, false],
  [
    'a short one whose numbers contradict each other',
    50,
    { page: 1, pageSize: 100, pageCount: 1, itemCount: 250 },
    null,
  ],
  ['one that says nothing', 50, undefined, null],
])('a page of contacts is the last where its numbers agree only: %s', (_, count, pagination, isLast) => {
  const body = JSON.stringify({ pagination, Contacts: Array.from({ length: count }, () => ({})) });
  expect(readContactPage(Buffer.from(body))).toEqual({ count, isLast });
});

test.each(dateSpellings)('the second of an invoice’s update is what Postgres reads: %s', (spelling, second) => {
  const body = Buffer.from(JSON.stringify({ Invoices: [{ UpdatedDateUTC: spelling }] }));
  expect(readInvoicePage(body)).toMatchObject({ count: 1, lastSecond: second });
});

test.each<[string, unknown[], (number | null)[], boolean]>([
  ['in order', ['/Date(1000+0000)/', '/Date(2999)/', '/Date(2000)/'], [1, 2], true],
  ['one a second before the one ahead of it', ['/Date(5000)/', '/Date(4999)/', '1970-01-01T00:00:09'], [4, 9], false],
  ['one without', ['/Date(5000)/', undefined], [5, 5], false],
  ['one that nobody can read', ['soon'], [null, null], false],
  ['none', [], [null, null], true],
])(
  'a page of invoices tells whether their UpdatedDateUTC ascends by the second: %s',
  (_, dates, seconds, ascending) => {
    const body = JSON.stringify({ Invoices: dates.map((UpdatedDateUTC) => ({ UpdatedDateUTC })) });
    const [firstSecond, lastSecond] = seconds;
    const facts = { firstSecond, lastSecond, ascending, count: dates.length, pageCount: null, isToldLast: false };
    expect(readInvoicePage(Buffer.from(body))).toEqual(facts);
  },
);
