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
