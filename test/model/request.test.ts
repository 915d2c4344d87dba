import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkImport, instantOf } from '../../model/request.ts';

const who = { connection: 'acme-au', application: 'planning' };
const problemsOf = (input: unknown) => {
  const checked = checkImport('journals', input);
  return checked.ok ? [] : checked.problems;
};

describe('an import request', () => {
  test('may have any subset of the filters', () => {
    const filters = {
      startingAtJournalId: 1,
      endingAtJournalId: 5000,
      modifiedSince: '2026-07-01',
      basis: 'cash',
      full: true,
    };
    fc.assert(
      fc.property(fc.subarray(Object.entries(filters)), (chosen) => {
        expect(checkImport('journals', { ...who, ...Object.fromEntries(chosen) }).ok).toBe(true);
      }),
    );
  });

  test('that is wrong is refused with every problem named', () => {
    const problems = problemsOf({
      application: '',
      startingAtJournalId: 'abc',
      endingAtJournalId: 0,
      modifiedSince: '2026-02-30',
      basis: 'both',
      full: 'yes',
      journals: 3,
    });
    for (const field of [
      'connection',
      'application',
      'startingAtJournalId',
      'endingAtJournalId',
      'modifiedSince',
      'basis',
      'full',
      '"journals"',
    ]) {
      expect(
        problems.filter((problem) => problem.startsWith(field)),
        field,
      ).toHaveLength(1);
    }
    expect(problems).toHaveLength(8);
    for (const problem of problems) expect(problem).toMatch(/\.$/);
  });

  test('whose end lies before its start is refused', () => {
    expect(problemsOf({ ...who, startingAtJournalId: 10, endingAtJournalId: 9 })).toEqual([
      'endingAtJournalId is 9, before startingAtJournalId 10.',
    ]);
    expect(problemsOf({ ...who, startingAtJournalId: 9, endingAtJournalId: 9 })).toEqual([]);
    // Named also beside what else is wrong.
    const both = problemsOf({ ...who, startingAtJournalId: 10, endingAtJournalId: 9, basis: 'both', other: 1 });
    expect(both.map((problem) => problem.split(' ')[0])).toEqual(['basis', '"other"', 'endingAtJournalId']);
  });

  test.each([
    [2_147_483_647, []],
    [2_147_483_648, [expect.stringMatching(/^startingAtJournalId must be 2147483647 or less/)]],
    [1e20, [expect.stringMatching(/^startingAtJournalId must be 2147483647 or less/)]],
    [-1e20, ['startingAtJournalId must be 1 or more.']],
    [1.5, [expect.stringMatching(/^startingAtJournalId must be a whole number/)]],
  ])('that starts at %d: one sentence, or none', (startingAtJournalId, problems) => {
    expect(problemsOf({ ...who, startingAtJournalId })).toEqual(problems);
  });

  test.each([null, undefined, 3, 'x', [], [who]])('that is %j and no object is refused in a sentence', (input) => {
    expect(problemsOf(input)[0]).toMatch(/one JSON object/);
  });
});

describe('modifiedSince', () => {
  test.each([
    ['2026-07-01', '2026-07-01T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2026-07-01T12:00:00+12:00', '2026-07-01T00:00:00.000Z'],
    ['2026-07-01T00:00Z', '2026-07-01T00:00:00.000Z'],
    ['1964-01-01', '1964-01-01T00:00:00.000Z'],
  ])('%s means %s', (text, instant) => {
    expect(new Date(instantOf(text) ?? Number.NaN).toISOString()).toBe(instant);
  });

  test.each([
    '2026-02-30',
    '2025-02-29',
    '2026-13-01',
    '2026-7-1',
    '2026-07-01T00:00:00',
    'yesterday',
    '',
    '2026-07-01T25:00:00Z',
  ])('%j is refused: it is no instant', (text) => {
    expect(instantOf(text)).toBeNull();
  });
});
