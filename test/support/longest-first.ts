import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest, as they were measured on two cores; what is left is short. In front those that keep the
 * processors busy take turns with those that wait, so that they run beside each other.
 */
const longest = [
  'promises/crash-servers',
  'promises/faults',
  'promises/crash-worker',
  'promises/lanes',
  'cli/up',
  'promises/outages',
  'cli/told-to-stop',
  'promises/quota',
  'promises/crash-lanes',
  'promises/forgotten-runs',
  'promises/backfill',
  'promises/controls',
  'cli/status',
  'cli/configuration',
  'promises/export',
  'cli/own-servers',
  'cli/silent-temporal',
  'promises/agrees-with-xero',
  'worker/servers-away',
  'promises/secrets',
  'promises/invoices',
  'model/falling-limit',
  'promises/crash-tokens',
  'cli/connect-and-keys',
  'promises/reconnect',
  'promises/schedules',
  'worker/metrics',
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
