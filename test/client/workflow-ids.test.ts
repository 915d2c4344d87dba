import fc from 'fast-check';
import { expect, test } from 'vitest';
import { workflowIdFor } from '../../client/imports.ts';
import { reconciliationIdFor } from '../../client/reconciliations.ts';
import { drawSeed } from '../support/observe.ts';

const application = fc.constant('planning');
/** Names that look like filters, as storage allows them. */
const connection = fc.constantFrom(
  'acme',
  'acme-full',
  'acme-from-1',
  'acme-to-2',
  'acme-cash',
  'acme-2026-06-30',
  'cash',
);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const journals = fc.record({
  connection,
  application,
  startingAtJournalId: optional(fc.constantFrom(1, 2)),
  endingAtJournalId: optional(fc.constantFrom(2, 12)),
  modifiedSince: optional(fc.constantFrom('2026-06-30', '2026-06-30T01:00:00.5Z')),
  basis: optional(fc.constantFrom('accrual' as const, 'cash' as const)),
  full: fc.boolean(),
  backfill: fc.boolean(),
});

const reconciliation = fc.record({
  connection,
  application,
  date: optional(fc.constant('2026-06-30')),
  basis: optional(fc.constantFrom('accrual' as const, 'cash' as const)),
});

test('two different imports never have the same workflow id, whatever their connections are called', () => {
  const asSaid = ({ basis, ...request }: { basis?: string | undefined }) =>
    JSON.stringify({ ...request, basis: basis ?? 'accrual' });
  fc.assert(
    fc.property(journals, journals, (one, other) => {
      expect(workflowIdFor('journals', one) === workflowIdFor('journals', other)).toBe(asSaid(one) === asSaid(other));
    }),
    { seed: drawSeed('workflow ids'), numRuns: 5_000 },
  );
  fc.assert(
    fc.property(reconciliation, reconciliation, (one, other) => {
      expect(reconciliationIdFor(one) === reconciliationIdFor(other)).toBe(asSaid(one) === asSaid(other));
    }),
    { seed: drawSeed('reconciliation ids'), numRuns: 5_000 },
  );
});
