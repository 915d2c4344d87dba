/**
 * Late journals: a lower number that becomes visible after higher ones were read, because postings ran side by side. They
 * appear near the head of the feed only, among what was posted shortly before it was read. Numbers have natural gaps, so
 * a gap alone means nothing; a recent one is worth a second look.
 */

/** A gap that was looked at when what lies behind it was older than this is a natural one. Milliseconds. */
export const unsettledMs = 3 * 3_600_000;
/** A second look goes back so many numbers at most: a bulk of postings within hours must not be read again and again. */
export const farthestLook = 2_000;

/** Numbers missing between two stored ones. Instants are milliseconds since 1970. */
export interface Gap {
  /** The stored number before it. */
  after: number;
  /** When the journal behind it was created, by Xero's clock. */
  createdAt: number;
  /** When it was looked at, by ours: last, or at least once it had aged. */
  lookedAt: number;
}

/** Whether journals may still appear in a gap. */
export function isOpen({ createdAt, lookedAt }: Gap): boolean {
  return lookedAt - createdAt < unsettledMs;
}

/** The offset at which the next run begins: the lowest open gap, where that lies before the overlap. */
export function secondLook(gaps: readonly Gap[], overlapFrom: number, watermark: number): number {
  const open = gaps.filter((gap) => isOpen(gap) && gap.after >= watermark - farthestLook);
  return Math.min(overlapFrom, ...open.map(({ after }) => after));
}
