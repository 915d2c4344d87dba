import { expect, test } from 'vitest';
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
