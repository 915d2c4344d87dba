import { starves } from '../model/reserve.ts';

const because = {
  always:
    'Xero allows an organisation 5,000 calls a day, or 1,000 on its Starter tier, so this leaves imports nothing but one call an hour.',
  onStarter:
    'On Xero’s Starter tier, which allows an organisation 1,000 calls a day, this leaves imports nothing but one call an hour.',
};

/** What to say of a reserve that leaves imports next to nothing; null where it leaves them something. */
export function starvedInWords(reserve: number, dayRemaining: number | null): string | null {
  const left = starves(reserve, dayRemaining);
  return left === null ? null : `${because[left]} Reserve less, unless that is what you want.`;
}
