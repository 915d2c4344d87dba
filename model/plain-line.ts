/**
 * A text of others as one line without control characters. Postgres stores no NUL, and where no row is kept word for word (a name, a
 * complaint) there is nothing to put it into quarantine for.
 */
export function plainLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
}
