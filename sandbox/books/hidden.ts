import { mix } from '../seeded.ts';
import type { GeneratedOptions } from './generated.ts';

/** Numbers that are taken but whose journals nobody can read yet. */
export interface HiddenNumbers {
  has(number: number): boolean;
  list(): number[];
  hide(numbers: readonly number[]): void;
  reveal(numbers?: readonly number[]): void;
  /** A page is about to be answered: what is due appears first. */
  heard(): void;
}

export function hiddenNumbers(options: GeneratedOptions, now: () => number): HiddenNumbers {
  const { numbering, late, seed } = options;
  const hidden = new Set<number>();
  const began = now();
  let pages = 0;

  if (late) {
    if (!(late.count < late.among && late.among <= numbering.count))
      throw new Error(`late: ${late.count} of the newest ${late.among}; the books have ${numbering.count} journals.`);
    // Which ones is a matter of the seed: the positions with the smallest draws, without the very last.
    const drawn = Array.from({ length: late.among - 1 }, (_, k) => numbering.count - late.among + k);
    drawn.sort((a, b) => mix(seed, a, 0x1a7e) - mix(seed, b, 0x1a7e));
    for (const position of drawn.slice(0, late.count)) hidden.add(numbering.numberAt(position));
  }

  return {
    has: (number) => hidden.has(number),
    list: () => [...hidden].sort((a, b) => a - b),
    hide(numbers) {
      for (const number of numbers) hidden.add(number);
    },
    reveal(numbers = [...hidden]) {
      for (const number of numbers) hidden.delete(number);
    },
    heard() {
      const due =
        (late?.afterPages !== undefined && pages >= late.afterPages) ||
        (late?.afterMs !== undefined && now() - began >= late.afterMs);
      if (due && hidden.size > 0) hidden.clear();
      pages++;
    },
  };
}
