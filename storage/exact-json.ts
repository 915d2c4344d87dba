import { parse, stringify } from 'lossless-json';

/**
 * The rows under a key of an answer, each as JSON text with every digit as Xero wrote it. Of a key that a row has twice the
 * last one counts, as for Postgres's jsonb. None when there is no such key.
 */
export function rowsOf(answer: string, key: string): string[] {
  const rows =
    (parse(answer, undefined, { onDuplicateKey: ({ newValue }) => newValue }) as Record<string, unknown[]>)[key] ?? [];
  return rows.map((row) => stringify(row) ?? 'null');
}
