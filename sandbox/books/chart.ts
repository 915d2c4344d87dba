import { seededUuid } from '../seeded.ts';

type AccountClass = 'ASSET' | 'EQUITY' | 'EXPENSE' | 'LIABILITY' | 'REVENUE';

export interface Account {
  readonly id: string;
  /** Bank accounts may lack one (xero-api.md §3). */
  readonly code?: string;
  readonly name: string;
  /** What the account was called in the first half of the books: a journal line keeps the name it was posted under. */
  readonly formerName?: string;
  readonly type: string;
  readonly class: AccountClass;
  readonly status: 'ACTIVE' | 'ARCHIVED';
  readonly taxType: string;
  readonly system?: string;
  readonly bankNumber?: string;
}

type Row = [code: string, name: string, type: string, cls: AccountClass, more?: Partial<Account>];

const ROWS: Row[] = [
  ['', 'Everyday Account', 'BANK', 'ASSET', { bankNumber: '0209087654321050' }],
  ['091', 'Business Savings', 'BANK', 'ASSET', { bankNumber: '0209087654321051' }],
  ['200', 'Sales', 'REVENUE', 'REVENUE', { taxType: 'OUTPUT2' }],
  ['201', 'Consulting – “Retainers”', 'SALES', 'REVENUE', { taxType: 'OUTPUT2' }],
  ['260', 'Other Revenue', 'REVENUE', 'REVENUE', { taxType: 'OUTPUT2' }],
  ['270', 'Interest Income', 'OTHERINCOME', 'REVENUE'],
  ['310', 'Cost of Goods Sold', 'DIRECTCOSTS', 'EXPENSE', { taxType: 'INPUT2' }],
  ['400', 'Advertising', 'OVERHEADS', 'EXPENSE', { taxType: 'INPUT2' }],
  ['404', 'Bank Fees', 'EXPENSE', 'EXPENSE'],
  ['408', 'Cleaning', 'EXPENSE', 'EXPENSE', { taxType: 'INPUT2', status: 'ARCHIVED' }],
  ['412', 'Consulting & Accounting', 'EXPENSE', 'EXPENSE', { taxType: 'INPUT2' }],
  ['416', 'Depreciation', 'DEPRECIATN', 'EXPENSE'],
  ['429', 'General Expenses', 'EXPENSE', 'EXPENSE', { taxType: 'INPUT2' }],
  ['445', 'Light, Power, Heating', 'EXPENSE', 'EXPENSE', { taxType: 'INPUT2' }],
  ['453', 'Office Expenses', 'EXPENSE', 'EXPENSE', { taxType: 'INPUT2', formerName: 'Stationery' }],
  ['461', 'Printing', 'EXPENSE', 'EXPENSE', { taxType: 'INPUT2' }],
  ['469', 'Rent', 'EXPENSE', 'EXPENSE', { taxType: 'INPUT2' }],
  ['477', 'Salaries', 'EXPENSE', 'EXPENSE'],
  ['478', 'KiwiSaver Employer Contributions', 'EXPENSE', 'EXPENSE'],
  ['489', 'Telephone & Internet', 'EXPENSE', 'EXPENSE', { taxType: 'INPUT2' }],
  ['497', 'Bank Revaluations', 'EXPENSE', 'EXPENSE', { system: 'BANKCURRENCYGAIN' }],
  ['498', 'Unrealised Currency Gains', 'EXPENSE', 'EXPENSE', { system: 'UNREALISEDCURRENCYGAIN' }],
  ['499', 'Realised Currency Gains', 'EXPENSE', 'EXPENSE', { system: 'REALISEDCURRENCYGAIN' }],
  ['610', 'Accounts Receivable', 'CURRENT', 'ASSET', { system: 'DEBTORS' }],
  ['620', 'Prepayments', 'PREPAYMENT', 'ASSET'],
  ['630', 'Inventory', 'INVENTORY', 'ASSET'],
  ['710', 'Office Equipment', 'FIXED', 'ASSET', { taxType: 'INPUT2' }],
  ['720', 'Long-term Deposits', 'NONCURRENT', 'ASSET'],
  ['800', 'Accounts Payable', 'CURRLIAB', 'LIABILITY', { system: 'CREDITORS' }],
  ['801', 'Unpaid Expense Claims', 'CURRLIAB', 'LIABILITY', { system: 'UNPAIDEXPCLM' }],
  ['804', 'Wages Payable', 'CURRLIAB', 'LIABILITY', { system: 'WAGEPAYABLES' }],
  ['820', 'GST', 'CURRLIAB', 'LIABILITY', { system: 'GST' }],
  ['825', 'PAYE Payable', 'LIABILITY', 'LIABILITY'],
  ['840', 'Historical Adjustment', 'CURRLIAB', 'LIABILITY', { system: 'HISTORICAL' }],
  ['860', 'Rounding', 'CURRLIAB', 'LIABILITY', { system: 'ROUNDING' }],
  ['877', 'Tracking Transfers', 'CURRLIAB', 'LIABILITY', { system: 'TRACKINGTRANSFERS' }],
  ['900', 'Loan', 'TERMLIAB', 'LIABILITY'],
  ['960', 'Retained Earnings', 'EQUITY', 'EQUITY', { system: 'RETAINEDEARNINGS' }],
  ['970', 'Owner A Funds Introduced', 'EQUITY', 'EQUITY'],
  ['980', 'Owner A Drawings', 'EQUITY', 'EQUITY', { status: 'ARCHIVED' }],
];

/** The chart of accounts with the accounts that posting needs to find by what they are for. */
export interface Chart {
  readonly all: readonly Account[];
  readonly byId: ReadonlyMap<string, Account>;
  /** By code, or by name for those that lack a code. Throws when there is no such account. */
  find(codeOrName: string): Account;
  readonly banks: readonly Account[];
  readonly income: readonly Account[];
  readonly costs: readonly Account[];
}

/** Makes the chart; ids are a function of the seed only, so a restarted sandbox has the same accounts. */
export function chartOfAccounts(seed: number): Chart {
  const all = ROWS.map(
    ([code, name, type, cls, more], index): Account => ({
      id: seededUuid(seed ^ 0xacc, index + 1),
      ...(code === '' ? {} : { code }),
      name,
      type,
      class: cls,
      status: 'ACTIVE',
      taxType: 'NONE',
      ...more,
    }),
  );
  const byKey = new Map(all.map((account) => [account.code ?? account.name, account]));
  return {
    all,
    byId: new Map(all.map((account) => [account.id, account])),
    find: (key) => {
      const account = byKey.get(key);
      if (!account) throw new Error(`The sandbox's chart of accounts has no account "${key}".`);
      return account;
    },
    banks: all.filter((account) => account.type === 'BANK'),
    income: all.filter((account) => account.class === 'REVENUE'),
    costs: all.filter((account) => account.class === 'EXPENSE' && account.system === undefined),
  };
}
