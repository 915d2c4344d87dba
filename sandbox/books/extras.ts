import type { Journal } from './journal.ts';

/** Injected journals in order of their numbers; found by binary search, so many thousands of them stay cheap. */
export interface Extras {
  readonly size: number;
  put(journal: Journal): void;
  get(number: number): Journal | undefined;
  at(index: number): Journal | undefined;
  /** The index of the first journal with a number above `number`. */
  after(number: number): number;
}

export function extras(): Extras {
  const sorted: Journal[] = [];

  function after(number: number): number {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle]?.number ?? 0) <= number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    get size() {
      return sorted.length;
    },
    put(journal) {
      const index = after(journal.number);
      const replaces = sorted[index - 1]?.number === journal.number;
      sorted.splice(replaces ? index - 1 : index, replaces ? 1 : 0, journal);
    },
    get(number) {
      const found = sorted[after(number) - 1];
      return found?.number === number ? found : undefined;
    },
    at: (index) => sorted[index],
    after,
  };
}
