import { expect, test } from 'vitest';
import { asTyped } from '../../cli/as-typed.ts';
import { checkImport } from '../../model/request.ts';

test('who typed options is told of them, and not of the fields that they become', () => {
  const request = { connection: '', application: 'planning', startingAtJournalId: 9, endingAtJournalId: 2 };
  const typed = (input: object) => {
    const checked = checkImport('journals', { ...request, ...input });
    return asTyped(checked.ok ? [] : checked.problems);
  };
  expect(typed({ basis: 'both', modifiedSince: 'soon' })).toEqual([
    '--connection must not be empty.',
    expect.stringMatching(/^--modified-since must be a real date/),
    '--basis must be "accrual" or "cash".',
    '--to is 2, before --from 9.',
  ]);
  expect(typed({ quotaReserve: -1 })).toContain('--reserve must be 0 or more.');
  const other = 'There is no connection "basis".';
  expect(asTyped([other])).toEqual([other]);
});
