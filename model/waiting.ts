import type { WaitReason } from './run.ts';

/** Why a limit of Xero's makes an import wait, for people. */
export const limitInWords: Record<WaitReason, string> = {
  day: 'Xero’s daily limit is used up',
  reserve: 'What is left of Xero’s daily limit is reserved for others',
  precedence: 'What is left of the minute is for imports that somebody waits for',
  minute: 'Xero’s limit per minute is used up',
  concurrent: 'Xero’s limit of calls at once is reached',
  outage: 'Xero, or this organisation in it, is down for a while',
  appMinute: 'Xero’s limit per minute for the whole app is used up',
};

/** What follows the instant at which a waiting run goes on: why not before, in the words of its `progress`; nothing where no reason is known. */
export function becauseOf(blockedBy: WaitReason | null): string {
  return blockedBy === null ? '' : `: ${limitInWords[blockedBy]}`;
}
