import { judgeNumbers, settleDoubts } from '../model/doubt.ts';
import type { AnsweredJournals } from '../xero/api.ts';
import type { CallOutcome } from './call-xero.ts';

/** A page of journals that may be gone on from: its `lastNumber` is null where there is nothing to go on from. */
export interface SurePage extends AnsweredJournals {
  /**
   * Numbers that are wrong although they could be some: their journals are for quarantine, as those with a number that there cannot
   * be. Null where no number of the page is in doubt.
   */
  wrong: number[] | null;
}

type Asked<Page extends AnsweredJournals> = Promise<CallOutcome<Page>>;

/**
 * Asks for a page of journals, and again where its numbers are in doubt: first for what Xero has right before the doubted ones, which
 * settles it for all that are true, then for the page itself, as a fault may have passed. No number up to `storedThrough` is doubted.
 */
export async function askSurely(
  offset: number,
  ask: (offset: number) => Asked<AnsweredJournals>,
  storedThrough = 0,
): Asked<SurePage> {
  /** What Xero has right before a doubted number, by that number. */
  const found = new Map<number, readonly number[]>();
  for (let asked = 1; ; asked++) {
    const outcome = await ask(offset);
    if (outcome.kind !== 'answered') return outcome;
    const { count, numbers, hasImpossible, lastNumber } = outcome.answer;
    if (count === 0) return sure(outcome, null, null);
    const [first] = judgeNumbers(offset, numbers, storedThrough).doubted;
    if (first !== undefined && !found.has(first)) {
      const confirming = await ask(first - 1);
      // Refused is not what another page was: an offset of that size may be too much for a server.
      if (confirming.kind !== 'answered' && confirming.kind !== 'refused') return confirming;
      found.set(first, confirming.kind === 'answered' ? confirming.answer.numbers : []);
    }
    const { through, wrong } = settleDoubts(offset, numbers, found.get(first ?? 0) ?? [], storedThrough);
    const isWhole = through === lastNumber && !hasImpossible;
    if (isWhole) return sure(outcome, null, through);
    if (asked === 2 || (wrong.length === 0 && !hasImpossible)) return sure(outcome, wrong, through);
  }
}

function sure<Page extends AnsweredJournals>(
  outcome: Extract<CallOutcome<Page>, { kind: 'answered' }>,
  wrong: number[] | null,
  lastNumber: number | null,
) {
  return { ...outcome, answer: { ...outcome.answer, wrong, lastNumber } };
}
