import pg from 'pg';

/** An error of Postgres's, with its SQLSTATE. */
export type DataError = Error & { code: string; column?: string; table?: string; detail?: string };

/** Class 22: the data cannot be what the column wants. Class 23: it breaks a constraint. 54000: one value is too large. */
export function isAboutData(error: unknown): error is DataError {
  return error instanceof Error && 'code' in error && /^(22|23|54)/.test(String(error.code));
}

/** Whether Postgres itself answered so, and not its driver or the network. */
export function isPostgresSaying(error: unknown): error is DataError {
  return error instanceof pg.DatabaseError && error.code !== undefined;
}

/**
 * Why Postgres does not take what Xero sent, for somebody who knows Xero's fields and not our tables: which is missing, or what
 * a text should have been. The SQLSTATE stays, to look it up; what is not known by its code stays in Postgres's words.
 */
export function reasonOf(error: DataError): string {
  return `${inWords(error) ?? error.message} (SQLSTATE ${error.code})`;
}

function inWords({ code, message, column, table, detail }: DataError): string | null {
  // What was refused stands in quotation marks, and may hold some itself.
  const value = short(/"(.*)"/s.exec(message)?.[1] ?? '');
  switch (code) {
    case '23502':
      return column === undefined ? null : `Xero's field ${fieldOf(column)} is missing${placeOf(table)}`;
    case '22P02': {
      const wanted = kinds[/type (\w+)/.exec(message)?.[1] ?? ''];
      return wanted === undefined
        ? null
        : value === ''
          ? `A field that must be ${wanted} is empty`
          : `"${value}" cannot be read as ${wanted}`;
    }
    case '22003':
      return value === ''
        ? 'A number has more digits than can be stored'
        : `The number ${value} is too large to be stored`;
    case '22007':
    case '22008':
      return `"${value.replace("not a date of Xero's: ", '')}" cannot be read as a date`;
    case '22P05':
    case '22021':
      return 'A text holds a character that Postgres cannot store, such as NUL';
    case '22001':
    case '54000':
      return 'A value is too long to be stored';
    case '22023':
      return message.startsWith('cannot extract elements') ? 'Where Xero has a list there is something else' : null;
    case '23505':
      return `Two rows have the same key: ${detail ?? message}`;
    default:
      return null;
  }
}

const kinds: Record<string, string> = {
  numeric: 'a number',
  bigint: 'a whole number',
  integer: 'a whole number',
  uuid: 'an identifier of Xero’s (UUID)',
  boolean: 'true or false',
  json: 'JSON',
  jsonb: 'JSON',
};

const places: Record<string, string> = {
  journal_line: ' in a line of the journal',
  journal_line_tracking: ' in the tracking of a line',
  invoice_line_item: ' in a line of the invoice',
  invoice_line_item_tracking: ' in the tracking of a line',
  invoice_settlement: ' in a payment, credit note, prepayment or overpayment',
  tracking_category_option: ' in an option of the tracking category',
};

function placeOf(table: string | undefined): string {
  return places[table ?? ''] ?? '';
}

/** Columns are Xero's fields, written Postgres's way: net_amount is NetAmount. */
function fieldOf(column: string): string {
  return column
    .split('_')
    .map((word) => (/^(id|utc)$/.test(word) ? word.toUpperCase() : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('');
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
