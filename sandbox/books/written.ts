import { mix, seededUuid } from '../seeded.ts';
import { jsonMoney, jsonText, msDate } from '../wire.ts';
import type { Account } from './chart.ts';
import type { Journal, JournalLine } from './journal.ts';
import type { TrackingTag } from './tracking.ts';

// What repeats on line after line is written once. Bounded by the chart and the tracking options, which do not grow.
const accountTexts = new WeakMap<Account, Map<string, string>>();
const tagTexts = new WeakMap<object, string>();

function writeAccount(account: Account, name: string): string {
  let names = accountTexts.get(account);
  if (!names) {
    names = new Map();
    accountTexts.set(account, names);
  }
  let text = names.get(name);
  if (text === undefined) {
    const code = account.code === undefined ? '' : `"AccountCode":${jsonText(account.code)},`;
    text = `"AccountID":"${account.id}",${code}"AccountType":"${account.type}","AccountName":${jsonText(name)},`;
    names.set(name, text);
  }
  return text;
}

function writeTag({ category, option }: TrackingTag): string {
  let text = tagTexts.get(option);
  if (text === undefined) {
    text = `{"Name":${jsonText(category.name)},"Option":${jsonText(option.name)},"TrackingCategoryID":"${category.id}","TrackingOptionID":"${option.id}"}`;
    tagTexts.set(option, text);
  }
  return text;
}

function writeLine(line: JournalLine, id: string): string {
  let text = `{"JournalLineID":"${id}",${writeAccount(line.account, line.accountName)}`;
  if (line.description !== undefined)
    text += line.description === '' ? '"Description":"",' : `"Description":${jsonText(line.description)},`;
  const net = jsonMoney(line.net);
  const gross = line.gross === line.net ? net : jsonMoney(line.gross);
  const tax = line.tax === 0n ? '0.00' : jsonMoney(line.tax);
  text += `"NetAmount":${net},"GrossAmount":${gross},"TaxAmount":${tax},`;
  if (line.taxType !== undefined) text += `"TaxType":"${line.taxType}",`;
  if (line.taxName !== undefined) text += `"TaxName":${jsonText(line.taxName)},`;
  const [first, second] = line.tracking;
  if (!first) return `${text}"TrackingCategories":[]}`;
  return `${text}"TrackingCategories":[${writeTag(first)}${second ? `,${writeTag(second)}` : ''}]}`;
}

function writeLines(journal: Journal, seed: number): string {
  if (journal.lines === null) return 'null';
  const lineSeed = mix(seed, 0x11e);
  let text = '';
  for (const [index, line] of journal.lines.entries()) {
    text += `${index === 0 ? '' : ','}${writeLine(line, line.id ?? seededUuid(lineSeed, journal.number, index + 1))}`;
  }
  return `[${text}]`;
}

/** The id of a journal, for whoever wants to name it without reading it. */
export function journalIdOf(journal: Journal, seed: number): string {
  return journal.id ?? seededUuid(seed ^ 0x10a, journal.number);
}

/** The JSON text of one journal. A single get leaves out `SourceID` and `SourceType`, as Xero does. */
export function writeJournal(journal: Journal, seed: number, single = false): string {
  if (journal.json !== undefined) return journal.json;
  const fields: [string, string][] = [];
  fields.push(['JournalID', `"${journalIdOf(journal, seed)}"`]);
  fields.push(['JournalDate', msDate(journal.date)]);
  fields.push(['JournalNumber', String(journal.number)]);
  fields.push(['CreatedDateUTC', msDate(journal.created)]);
  if (journal.reference !== undefined) fields.push(['Reference', jsonText(journal.reference)]);
  if (journal.sourceId !== undefined && !single) fields.push(['SourceID', `"${journal.sourceId}"`]);
  if (journal.sourceType !== undefined && !single) fields.push(['SourceType', `"${journal.sourceType}"`]);
  fields.push(['JournalLines', writeLines(journal, seed)]);
  let text = '';
  for (const [name, value] of fields) {
    if (journal.omit?.includes(name) !== true) text += `${text === '' ? '{' : ','}"${name}":${value}`;
  }
  return `${text}}`;
}
