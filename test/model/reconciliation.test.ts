import { expect, test } from 'vitest';
import { sentenceOf } from '../../model/reconciliation.ts';

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
