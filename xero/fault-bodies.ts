import { plainLine } from '../model/plain-line.ts';

const longest = 300;

/**
 * The complaint in a fault's body, in one line of at most 300 characters; '' when there is none. Xero speaks several
 * dialects: the validation envelope, the problem envelope (in PascalCase and in lower case), the OAuth error and plain text.
 * Source: https://developer.xero.com/documentation/api/accounting/responsecodes
 */
export function readComplaint(text: string): string {
  const trimmed = text.trim();
  if (looksLikeMarkup(trimmed)) return shorten(complaintInXml(trimmed));
  if (!trimmed.startsWith('{') && !trimmed.startsWith('[')) return shorten(trimmed);
  const fields = parseObject(trimmed);
  if (fields === null) return shorten(trimmed);
  const validation = readValidation(fields);
  if (validation.length > 0) return shorten(validation.join('; '));
  for (const name of ['detail', 'message', 'error_description', 'error', 'title']) {
    const value = fields.get(name);
    if (typeof value === 'string' && value.trim() !== '') return shorten(value);
  }
  return '';
}

/** A page is a proxy's about itself, of no use in a sentence; XML is what Xero answers in where it does not heed `Accept`. */
export function looksLikeMarkup(text: string): boolean {
  return text.trimStart().startsWith('<');
}

/** What an error of Xero's says that is written in XML; '' where it is none, as one of a network on the way. */
export function complaintInXml(text: string): string {
  const said = /<Detail>([^<]+)</.exec(text) ?? /<ApiException.*?<Message>([^<]+)</s.exec(text);
  return said?.[1]?.trim() ?? '';
}

function readValidation(fields: Map<string, unknown>): string[] {
  const messages = new Set<string>();
  const collect = (errors: unknown) => {
    for (const error of asArray(errors)) {
      const message = lowerCased(error)?.get('message');
      if (typeof message === 'string') messages.add(message);
    }
  };
  collect(fields.get('validationerrors'));
  for (const element of asArray(fields.get('elements'))) collect(lowerCased(element)?.get('validationerrors'));
  return [...messages];
}

function parseObject(text: string): Map<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return lowerCased(Array.isArray(value) ? value[0] : value);
  } catch {
    return null;
  }
}

function lowerCased(value: unknown): Map<string, unknown> | null {
  if (typeof value !== 'object' || value === null) return null;
  return new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]));
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function shorten(text: string): string {
  const line = plainLine(text);
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
