/** Texts as people type them. The awkward ones each broke some importer once. */

export const PLAIN_REFERENCES = [
  'PO-1187',
  'Red Fish, Blue Fish',
  'Monthly support',
  'INV-0042',
  'Rent, June',
  'Card 9921',
];

export const PLAIN_DESCRIPTIONS = [
  'Acme Tires',
  'Yearly bank fee',
  'Half day training – Microsoft Office',
  'Desktop/network support via email & phone',
  'Fish out of water: finding your brand',
  'Deposit for the office move',
];

export const AWKWARD_TEXTS = [
  '🍁 Ahorn & Fink 👩🏽‍💻',
  'שלום – חשבונית 17 \u202Eabc\u202C',
  'مبيعات أبريل',
  'He said "paid", then \'unpaid\'',
  'first line\nsecond line\r\nthird\twith tab',
  'C:\\books\\2026\\new',
  '<script>alert("ledger")</script>',
  "=1+1+cmd|' /C calc'!A0",
  '-42',
  '+44 20 7946 0958',
  '@SUM(A1:A9)',
  "Robert'); DROP TABLE journal;--",
  'null',
  ' leading and trailing ',
  'Zalgo ģ̷o̶e̵s̸',
  'e\u0301 is not \u00e9',
  '\u2028line separator\u2029',
  '日本語の説明　全角',
  '{"json":"inside"}',
  '%s %d {{template}} $HOME',
];

/** Tracking categories with their options; the last category and one option are archived. */
export const TRACKING: { name: string; status: 'ACTIVE' | 'ARCHIVED'; options: string[] }[] = [
  { name: 'Region', status: 'ACTIVE', options: ['North', 'South', 'Eastside', 'West Coast', 'Żółw & Co'] },
  { name: 'Department', status: 'ACTIVE', options: ['Sales', 'Finance', 'R&D', 'Closed shop'] },
  { name: 'Project (old)', status: 'ARCHIVED', options: ['Apollo'] },
];
export const ARCHIVED_OPTIONS: readonly string[] = ['Closed shop', 'Apollo'];

export const CONTACT_NAMES = [
  'Ridgeway University',
  'Boom FM',
  'City Agency',
  'Hamilton Smith Pty Ltd',
  'Young Bros Transport',
  'Marine Systems',
  '24 Locks',
  "O'Neill & Söhne GmbH",
  '合同会社カエデ',
  'PowerDirect',
];
