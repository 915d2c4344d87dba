import type { JournalDraft, LineDraft } from './draft.ts';

/** Journals that are legal, or were seen in the wild, and that break importers (xero-api.md §1, connections §7 B1). */
export type SpecialKind =
  | 'noLines'
  | 'nullLines'
  | 'thousandLines'
  | 'largestAmount'
  | 'fourDecimals'
  | 'yearOf1964'
  | 'dateZero'
  | 'nulInText'
  | 'loneSurrogate'
  | 'missingReference'
  | 'missingOptionalFields'
  | 'noSource'
  | 'unknownSourceType'
  | 'unknownFields'
  | 'hugeDescription'
  | 'unbalanced'
  | 'missingJournalId'
  | 'isoDates';

const pair = (net: string, description: string): LineDraft[] => [
  { account: '610', net },
  { account: '200', net: net.startsWith('-') ? net.slice(1) : `-${net}`, description },
];

const thousand = (): LineDraft[] =>
  Array.from({ length: 1000 }, (_, k) => ({
    account: k % 2 === 0 ? '429' : 'Everyday Account',
    net: k % 2 === 0 ? `${k + 1}.01` : `-${k}.01`,
    description: `Line ${k + 1} of 1000`,
  }));

const json = (fields: string): string => `{${fields},"JournalLines":[]}`;
const uuidOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

const MAKERS: Record<SpecialKind, (number: number) => JournalDraft> = {
  noLines: () => ({ lines: [], reference: 'No lines at all' }),
  nullLines: () => ({ lines: null }),
  thousandLines: () => ({ lines: thousand(), sourceType: 'MANJOURNAL' }),
  // 2^53 / 100 and a cent: the first amount that a double cannot hold.
  largestAmount: () => ({ lines: pair('90071992547409.93', 'One cent beyond a double') }),
  fourDecimals: () => ({ lines: pair('0.3333', 'Four decimals') }),
  yearOf1964: () => ({ date: '1964-02-29', reference: 'Before 1970: negative milliseconds' }),
  dateZero: () => ({ date: 0 }),
  nulInText: () => ({ reference: 'nul\u0000here', lines: pair('7.00', 'a\u0000b') }),
  loneSurrogate: () => ({ reference: 'half \ud83d emoji', lines: pair('8.00', '\udc00 the other half') }),
  missingReference: () => ({ omit: ['Reference'] }),
  missingOptionalFields: () => ({ omit: ['Reference', 'SourceID', 'SourceType', 'JournalLines'], lines: [] }),
  noSource: () => ({ omit: ['SourceID', 'SourceType'] }),
  unknownSourceType: () => ({ sourceType: 'SOMETHINGNEW2027' }),
  unknownFields: (number) => ({
    lines: [],
    json: json(
      `"JournalID":"${uuidOf(number)}","JournalNumber":${number},"JournalDate":"\\/Date(1793404800000+0000)\\/","CreatedDateUTC":"\\/Date(1793404800000+0000)\\/","Brand":{"New":[1,null,true]}`,
    ),
  }),
  hugeDescription: () => ({ lines: pair('9.00', 'ß🍁'.repeat(16_384)) }),
  unbalanced: () => ({ unbalanced: true, lines: [{ account: '200', net: '-5.00' }] }),
  missingJournalId: () => ({ omit: ['JournalID'], lines: [] }),
  isoDates: (number) => ({
    lines: [],
    json: json(
      `"JournalID":"${uuidOf(number)}","JournalNumber":${number},"JournalDate":"2026-03-31T00:00:00","CreatedDateUTC":"2026-03-31T09:15:00.123Z"`,
    ),
  }),
};

export const SPECIAL_KINDS = Object.keys(MAKERS) as SpecialKind[];

/** The draft of one special journal that will get `number`. Throws for a kind that does not exist. */
export function specialDraft(kind: SpecialKind, number: number): JournalDraft {
  const make = MAKERS[kind];
  if (!make) throw new Error(`There is no special journal "${kind}"; there are: ${SPECIAL_KINDS.join(', ')}.`);
  return make(number);
}
