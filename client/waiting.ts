import type { WaitReason } from '../model/run.ts';
import { limitInWords } from '../workflows/standing.ts';

/** What follows the instant at which a waiting run goes on: why not before, in the words of its `progress`; nothing where no reason is known. */
export function becauseOf(blockedBy: WaitReason | null): string {
  return blockedBy === null ? '' : `: ${limitInWords[blockedBy]}`;
}
