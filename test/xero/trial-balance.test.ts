import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAmount, readTrialBalance } from '../../xero/trial-balance.ts';
import { drawSeed } from '../support/observe.ts';

const id = 'da962997-a8bd-4dff-9616-01cdc199283f';
const heading = { RowType: 'Header', Cells: ['Account', 'Debit', 'Credit', 'YTD Debit', 'YTD Credit'].map(cell) };

function cell(Value: string) {
  return { Value };
}
function row(...values: string[]) {
  return { RowType: 'Row', Cells: values.map((Value) => ({ Value, Attributes: [{ Id: 'account', Value: id }] })) };
}
function report(...Rows: object[]) {
  return JSON.stringify({ Reports: [{ Rows: [heading, ...Rows] }] });
}

describe('A trial balance', () => {
  test('is read from sections in sections, by its headings, to the last digit', () => {
    const inner = {
      RowType: 'Section',
      Title: 'Trading',
      Rows: [row('Sales (200)', '', '1.00', '', '90071992547409.93')],
    };
    const outer = {
      RowType: 'Section',
      Title: 'Revenue',
      Rows: [inner, row('Fees', '0.00', '', '1,234,567.3333', '')],
    };
    const total = {
      RowType: 'Section',
      Rows: [{ RowType: 'SummaryRow', Cells: ['Total', '1', '1', '9', '9'].map(cell) }],
    };
    expect(readTrialBalance(Buffer.from(report(outer, total)))).toEqual({
      rows: [
        { accountId: id, title: 'Sales (200)', debit: '0', credit: '90071992547409.93' },
        { accountId: id, title: 'Fees', debit: '1234567.3333', credit: '0' },
      ],
      count: 2,
    });
  });

  test.each([
    ['nothing', ''],
    ['half of one', report(row('Sales', '', '', '', '1.00')).slice(0, -9)],
    ['another answer', '{"Journals":[]}'],
    [
      'a report without the year to date',
      JSON.stringify({ Reports: [{ Rows: [{ ...heading, Cells: heading.Cells.slice(0, 3) }] }] }),
    ],
    ['an amount that is none', report(row('Sales', '', '', '', 'n/a'))],
  ])('%s is not one', (_, text) => {
    expect(readTrialBalance(Buffer.from(text))).toMatchObject({ kind: 'notAPage' });
  });

  test('amounts: grouped or not, negative either way, a number kept as it was written', () => {
    expect(['', null, '0.00', '-12.5', '(1,020.22)', '1 020.22'].map(readAmount)).toEqual([
      '0',
      '0',
      '0.00',
      '-12.5',
      '-1020.22',
      '1020.22',
    ]);
    for (const none of ['1,02', '12,34.00', '(-1)', '(1', '1e5', 'NaN', '.', '1.2.3'])
      expect(readAmount(none)).toBeNull();
    const seed = drawSeed('report amounts');
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.nat(9_999), fc.boolean(), (whole, part, grouped) => {
        const fraction = `.${String(part).padStart(4, '0')}`;
        const written = grouped ? String(whole).replaceAll(/\B(?=(\d{3})+$)/g, ',') : String(whole);
        expect(readAmount(`${written}${fraction}`)).toBe(`${whole}${fraction}`);
      }),
      { seed },
    );
  });
});
