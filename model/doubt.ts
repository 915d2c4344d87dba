import { journalsPerPage } from './streams.ts';

/**
 * Which numbers of a page of journals may be gone on from. The next page is asked for after the greatest of one, so a single wrong
 * number would pass over all that lies before it. Xero's numbers have gaps, which nothing limits, so a far step is no fault by
 * itself: it is a reason to ask Xero once more.
 */

/** Steps up to this size are never doubted, in journal numbers: so much a wrong number may hide, for fewer doubts about true ones. */
const neverDoubted = 2 * journalsPerPage;
/** On a feed whose numbers lie apart, so many of its usual steps are not doubted. */
const usualSteps = 100;

/** What a page's numbers are worth. */
export interface Judgement {
  /** The greatest one that is beyond doubt; null when none is. */
  through: number | null;
  /** Those behind a step that is far larger than the page's others, ascending. */
  doubted: number[];
}

/**
 * Judges the numbers of a page, ascending, that was asked for after `offset`. The lower half is believed, as no fault is that common;
 * of two or one that is nothing but the offset itself; and so is what lies no further than where all is stored already.
 */
export function judgeNumbers(offset: number, numbers: readonly number[], storedThrough = 0): Judgement {
  const believed = Math.floor((numbers.length - 1) / 2);
  const farthest = Math.max(neverDoubted, usualSteps * usualStep(numbers.slice(0, Math.max(0, believed))));
  const isFar = (number: number, index: number) =>
    index >= believed && number > storedThrough && number - (numbers[index - 1] ?? offset) > farthest;
  const first = numbers.findIndex(isFar);
  const sure = first < 0 ? numbers : numbers.slice(0, first);
  return { through: sure.at(-1) ?? null, doubted: first < 0 ? [] : numbers.slice(first) };
}

/** The middle one of the steps between some numbers; 1 where there are too few to tell. */
function usualStep(numbers: readonly number[]): number {
  const steps = numbers.slice(1).map((number, index) => number - (numbers[index] ?? number));
  return steps.sort((one, other) => one - other)[Math.floor((steps.length - 1) / 2)] ?? 1;
}

/** How far a page with doubted numbers reaches, and what becomes of those. */
export interface Settled {
  /** The offset of the next page, where whatever lies beyond it and is not wrong comes again; null when nothing in it is sure. */
  through: number | null;
  /** Numbers that Xero itself has no journal of. */
  wrong: number[];
}

/**
 * Settles the doubts about a page by what Xero has after the number right before the first doubted one: `found`, ascending. There
 * are all of those that are true.
 */
export function settleDoubts(
  offset: number,
  numbers: readonly number[],
  found: readonly number[],
  storedThrough = 0,
): Settled {
  const { through, doubted } = judgeNumbers(offset, numbers, storedThrough);
  const [first] = doubted;
  if (first === undefined) return { through, wrong: [] };
  const { through: foundThrough } = judgeNumbers(first - 1, found);
  const isFound = (number: number) => found.includes(number);
  const isSure = (number: number) => isFound(number) && number <= (foundThrough ?? 0);
  const last = doubted.filter(isSure).at(-1);
  const wrong = doubted.filter((number) => !isFound(number));
  if (last !== undefined && (through === null || doubted.every(isSure))) return { through: last, wrong };
  return { through, wrong };
}
