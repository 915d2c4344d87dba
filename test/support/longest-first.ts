import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest, as they were measured on two cores; what is left is short. In front those that keep the
 * processors busy take turns with those that wait, so that they run beside each other.
 */
const longest = [
  'promises/crash-servers',
  'promises/early-end',
  'promises/faults',
  'promises/lanes',
  'promises/crash-worker',
  'promises/lasting-trouble',
  'cli/up',
  'promises/told-to-stop',
  'promises/quota',
  'promises/secrets',
  'promises/crash-lanes',
  'cli/told-to-stop',
  'promises/clocks',
  'cli/silent-temporal',
  'cli/own-servers',
  'worker/servers-away',
  'promises/invoices-crash',
  'promises/forgotten-runs',
  'promises/outages',
  'cli/status',
  'promises/controls',
  'cli/configuration',
  'promises/refusals',
  'promises/reconnect',
  'promises/many-contacts',
  'promises/invoices-out-of-order',
  'cli/registry',
  'promises/schedules',
  'worker/metrics',
  'promises/behind-a-difference',
  'promises/backfill',
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
