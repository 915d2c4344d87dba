/** So many slices at a time keep two processor cores busy. A worker takes more only where they wait for Xero. */
export const crowd = 20;

/** In a crowd each is shorter, so that those who wait in the queue have their turn sooner (docs/decisions/0030-turns-in-a-crowd.md). */
const lengthInACrowdMs = 1_000;

export type Slices = ReturnType<typeof createSlices>;

/** The slices of pages that one worker reads at the same time. */
export function createSlices(usualMs: number) {
  let underWay = 0;
  /** A place is free for a moment before it is taken. */
  const isCrowded = () => underWay >= crowd / 2;
  return {
    isCrowded,
    async during<T>(slice: () => Promise<T>): Promise<T> {
      underWay++;
      try {
        return await slice();
      } finally {
        underWay--;
      }
    },
    /** For how long one reads pages before others have their turn, in milliseconds. */
    lengthMs: () => (isCrowded() ? Math.min(usualMs, lengthInACrowdMs) : usualMs),
  };
}
