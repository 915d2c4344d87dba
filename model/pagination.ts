/** What an answer says of its page, as far as it says anything. */
export interface Pagination {
  page?: unknown;
  pageSize?: unknown;
  pageCount?: unknown;
  itemCount?: unknown;
}

/**
 * How many pages there are by `pagination`; null where it says nothing, or calls a page the last that by its own numbers is
 * not. A count that is too small would end a reading before its end, and of a second with several pages of invoices lose the
 * others for good. So a full page is never the last one, whatever is said.
 */
export function pagesTold(count: number, { page, pageSize, pageCount, itemCount }: Pagination): number | null {
  if (!isWhole(page) || !isWhole(pageCount)) return null;
  if (isWhole(pageSize) && count > 0 && count >= pageSize) return Math.max(pageCount, page + 1);
  if (page < pageCount) return pageCount;
  if (!isWhole(pageSize) || !isWhole(itemCount)) return null;
  const due = Math.max(0, itemCount - (page - 1) * pageSize);
  return pageCount === Math.ceil(itemCount / pageSize) && count === due ? pageCount : null;
}

/** Whether a page calls itself the last, be that true or not. */
export function isToldLast({ page, pageCount }: Pagination): boolean {
  return isWhole(page) && isWhole(pageCount) && page >= pageCount;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
