/** What came of some rows of a page. */
export interface Counts {
  stored: number;
  admitted: number;
  quarantined: number;
}

/** Nothing was stored, for this reason. */
export interface Unstorable {
  refused: string;
}

/**
 * Stores the rows of a page that was refused as a whole: each half at once, and only what is refused again in halves of it.
 * So one bad row among a thousand costs some twenty attempts, and is known with its own reason all the same. Rows come in their
 * order, as the first of two that exclude each other is the one to be stored.
 */
export async function storeInHalves(
  rows: string[],
  attempt: (rows: string[]) => Promise<Counts | Unstorable>,
  putAside: (row: string, reason: string) => Promise<number>,
): Promise<Counts> {
  const counts = { stored: 0, admitted: 0, quarantined: 0 };
  const middle = Math.ceil(rows.length / 2);
  for (const half of [rows.slice(0, middle), rows.slice(middle)]) {
    const [row] = half;
    if (row === undefined) continue;
    let part = await attempt(half);
    if ('refused' in part && half.length > 1) part = await storeInHalves(half, attempt, putAside);
    if ('refused' in part) {
      const quarantined = await putAside(row, part.refused);
      part = { stored: 0, admitted: quarantined, quarantined };
    }
    counts.stored += part.stored;
    counts.admitted += part.admitted;
    counts.quarantined += part.quarantined;
  }
  return counts;
}
