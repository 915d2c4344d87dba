import { INVOICE_STATUSES } from '../books/invoice.ts';
import { preconditionFailed, validationFailed } from '../dialects.ts';
import { type Answer, type Exchange, headerOf } from '../exchange.ts';

/** Says what is wrong with a value, or nothing when it is right. */
export type Check = (value: string) => string | undefined;

const whole: Check = (value) => (/^\d{1,15}$/.test(value) ? undefined : 'must be a whole number, 0 or more');
const atLeastOne: Check = (value) => (/^[1-9]\d{0,8}$/.test(value) ? undefined : 'must be a whole number, 1 or more');
const truth: Check = (value) => (/^(true|false)$/i.test(value) ? undefined : 'must be true or false');
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const uuids: Check = (value) =>
  value.split(',').every((each) => uuid.test(each)) ? undefined : 'must be ids separated by commas';
const ordering: Check = (value) =>
  /^\w+( (ASC|DESC))?$/i.test(value) ? undefined : 'must be a field name, then ASC or DESC';
const anything: Check = () => undefined;
const invoiceStatuses: Check = (value) =>
  value.split(',').every((each) => INVOICE_STATUSES.some((status) => status === each))
    ? undefined
    : `must be of ${INVOICE_STATUSES.join(', ')}, separated by commas`;
const unitDecimals: Check = (value) => (/^[24]$/.test(value) ? undefined : 'must be 2 or 4');
const date: Check = (value) => {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(value) ? Date.parse(`${value}T00:00:00Z`) : Number.NaN;
  // Date.parse turns 31 February into 3 March.
  const real = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(value);
  return real ? undefined : 'must be a date such as 2026-11-30';
};
export const checks = { date, whole, atLeastOne, truth, uuids, ordering, anything, invoiceStatuses, unitDecimals };

export const isUuid = (text: string): boolean => uuid.test(text);
export const isTrue = (value: string | null): boolean => value?.toLowerCase() === 'true';

/**
 * Refuses unknown, repeated and badly formed parameters. Stricter than Xero, which ignores what it does not know: a
 * misspelt filter would return everything and look like success.
 */
export function checkParameters(query: URLSearchParams, allowed: Record<string, Check>): Answer | undefined {
  for (const name of new Set(query.keys())) {
    const check = Object.hasOwn(allowed, name) ? allowed[name] : undefined;
    if (!check) return validationFailed(`Unknown query parameter "${name}".`);
    const values = query.getAll(name);
    if (values.length > 1) return validationFailed(`Query parameter "${name}" is given ${values.length} times.`);
    const wrong = check(values[0] ?? '');
    if (wrong !== undefined) return validationFailed(`Query parameter "${name}" ${wrong}, not "${values[0]}".`);
  }
  return undefined;
}

const ISO = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d{1,7})?Z?$/;
const RFC1123 =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * The If-Modified-Since header in milliseconds, floored to the second, which is all that Xero honours; undefined when not
 * sent; 412 when it cannot be read. Without a zone it is UTC, as Xero documents.
 */
export function ifModifiedSince(exchange: Exchange): number | undefined | Answer {
  const text = headerOf(exchange, 'if-modified-since');
  if (text === undefined || text === '') return undefined;
  const iso = ISO.exec(text);
  const ms = iso ? Date.parse(`${iso[1]}T${iso[2]}Z`) : RFC1123.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse turns 31 February into 3 March; such a date is a mistake, not a wish.
  if (Number.isNaN(ms) || (iso && !new Date(ms).toISOString().startsWith(iso[1] ?? '?'))) {
    return preconditionFailed(
      `One or more conditions given in the request header fields were invalid: If-Modified-Since "${text}".`,
    );
  }
  return ms;
}
