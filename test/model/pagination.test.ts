import { expect, test } from 'vitest';
import { isToldLast, pagesTold } from '../../model/pagination.ts';

test.each([
  ['the last page of several', 300, { page: 3, pageSize: 1_000, pageCount: 3, itemCount: 2_300 }, 3],
  ['the only page', 40, { page: 1, pageSize: 1_000, pageCount: 1, itemCount: 40 }, 1],
  ['a page with others behind it', 1_000, { page: 1, pageSize: 1_000, pageCount: 3, itemCount: 2_300 }, 3],
  ['a page behind the last', 0, { page: 4, pageSize: 1_000, pageCount: 3, itemCount: 2_300 }, 3],
  ['a full page said to be the last', 1_000, { page: 1, pageSize: 1_000, pageCount: 1, itemCount: 1_000 }, 2],
  ['a full page of few said to be the last', 5, { page: 2, pageSize: 5, pageCount: 1, itemCount: 99 }, 3],
  ['a short page with others behind it', 7, { page: 1, pageSize: 1_000, pageCount: 3, itemCount: 2_300 }, 3],
  ['fewer rows than the last page would have', 200, { page: 3, pageSize: 1_000, pageCount: 3, itemCount: 2_300 }, null],
  ['one page for more items than it holds', 100, { page: 1, pageSize: 1_000, pageCount: 1, itemCount: 2_300 }, null],
  ['a number of pages and nothing else', 100, { pageCount: 1 }, null],
  ['nothing', 100, {}, null],
])('%s: %i rows with %j make %j pages', (_, count, pagination, pages) => {
  expect(pagesTold(count, pagination)).toBe(pages);
});

test.each([
  [{ page: 3, pageSize: 1_000, pageCount: 3, itemCount: 3_000 }, true],
  [{ page: 2, pageSize: 1_000, pageCount: 3, itemCount: 3_000 }, false],
  [{ pageCount: 1 }, false],
  [{}, false],
])('%j calls itself the last: %j', (pagination, isLast) => {
  expect(isToldLast(pagination)).toBe(isLast);
});
