import { expect, test } from 'vitest';
import { unusedConversion } from '../../model/conversion.ts';
import { checkReconcile, sentenceOf } from '../../model/reconciliation.ts';

const account = {
  ...{ key: 'k', accountId: null, code: '091', name: 'Savings', class: 'ASSET', xero: '5.00', ledger: '5.00' },
  ...{ difference: '0.00', conversionBalance: '0.00', currencyRevaluation: '0.00', retainedEarnings: '0.00' },
  ...{ rounding: '0.00', unexplained: '0.00' },
};

test('an account that agrees although something explains a difference says what is not explained', () => {
  expect(sentenceOf(account, [])).toBe('091 Savings: Xero and the stored ledger both have 5.00.');
  const offset = { ...account, conversionBalance: '-141.63', unexplained: '141.63' };
  expect(sentenceOf(offset, ['A hint.'])).toBe(
    '091 Savings: Xero and the stored ledger both have 5.00, though -141.63 is a conversion balance, which Xero keeps without a journal; 141.63 is not explained. A hint.',
  );
});

test('a day that has begun nowhere on earth is refused', () => {
  const now = Date.parse('2026-11-27T23:00:00Z');
  const asked = (date: string) => checkReconcile({ connection: 'acme', application: 'planning', date }, now);
  expect(asked('2026-11-28')).toMatchObject({ ok: true });
  expect(asked('2026-11-29')).toEqual({
    ok: false,
    problems: ['date must be 2026-11-28 at the latest, tomorrow in UTC.'],
  });
  expect(asked('soon')).toEqual({ ok: false, problems: ['date must be a real date such as "2026-03-31".'] });
});

test('a conversion date after the day as at which is compared is refused, beside every other problem', () => {
  const now = Date.parse('2026-11-27T23:00:00Z');
  const asked = (fields: object) => checkReconcile({ connection: 'acme', application: 'planning', ...fields }, now);
  expect(asked({ conversionDate: '2026-11-27' })).toMatchObject({ ok: true });
  expect(asked({ date: '2026-11-28', conversionDate: '2026-11-28' })).toMatchObject({ ok: true });
  expect(asked({ conversionDate: '2026-11-28' })).toEqual({
    ok: false,
    problems: ['conversionDate is later than today, 2026-11-27 in UTC, as at which is compared.'],
  });
  expect(asked({ date: '2026-01-31', basis: 'money', conversionDate: '2026-02-01' })).toEqual({
    ok: false,
    problems: [
      'basis must be "accrual" or "cash".',
      'conversionDate is later than 2026-01-31, as at which is compared.',
    ],
  });
  expect(asked({ date: 'soon', conversionDate: 'later' })).toMatchObject({ problems: { length: 2 } });
});

test('a conversion date that is not used is told with the reason', () => {
  const stored = { unbrokenThrough: 900, dayBefore: '2024-12-31', quarantined: 0 };
  const told = { conversionDate: '2025-07-01', date: '2026-03-31', stored, isAnyRemoved: false };
  expect(unusedConversion(told)).toBeNull();
  // What the report shows before the first journal is found without it.
  expect(unusedConversion({ ...told, conversionDate: '2025-01-01', isAnyRemoved: true })).toBeNull();
  const unused = (fields: object) => unusedConversion({ ...told, ...fields });
  const because = (reason: string) =>
    expect.stringContaining(`The conversion date 2025-07-01 was not used, as ${reason}`);
  expect(unused({ isAnyRemoved: true })).toEqual(because('journals that were stored are gone'));
  expect(unused({ stored: { ...stored, quarantined: 1 } })).toEqual(because('a row is in quarantine'));
  expect(unused({ stored: { ...stored, unbrokenThrough: null } })).toEqual(because('no import without filters'));
  expect(unused({ date: '2025-06-30' })).toEqual(because('it is later than 2025-06-30'));
});
