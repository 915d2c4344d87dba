import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, in seconds and by that order, as they were measured on two cores; what is left is short. */
const longest = [
  'promises/faults',
  'cli/configuration',
  'promises/crash-servers',
  'promises/lanes',
  'promises/crash-worker',
  'promises/quota',
  'cli/up',
  'cli/own-servers',
  'promises/outages',
];

/**
 * Begins with the longest, so that none of them is what everybody waits for at the end. Vitest does so by itself only where
 * it has run before; in a fresh checkout it goes by the size of the file, and the longest are not the largest.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const found = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return found === -1 ? longest.length : found;
    };
    // Sorting is stable: the others stay as Vitest has them.
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
