/** Ends the command when nobody takes its output: as who reads it has enough, like `head`, which is no failure, or with one. */
export function endWithoutReader(fail: (error: Error) => void): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') fail(error);
    process.exit();
  });
}

/** Waits until whoever reads standard output has taken all of it: a pipe holds 64 kB, and what is behind that would be lost. */
export function untilTaken(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write('', () => resolve());
  });
}

const harmful = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * A text in which nothing commands the terminal or turns its letters round: names and complaints come from Xero, where anybody may
 * have written them. Such a character is shown by its number, as JSON writes it, so a line of JSON says the same as before.
 */
export function visible(text: string): string {
  return text.replaceAll(harmful, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A line on standard error, beside what was asked for. */
export function tell(line: string): void {
  process.stderr.write(`${visible(line)}\n`);
}

/** One line of JSON for a program, or words for a person; on standard output both. */
export function print(json: boolean | undefined, value: unknown, words: string): void {
  process.stdout.write(`${visible(json ? JSON.stringify(value) : words)}\n`);
}

/** Columns as wide as they need be. */
export function printTable(heads: string[], rows: (string | number)[][]): void {
  if (rows.length === 0) {
    process.stdout.write('None yet.\n');
    return;
  }
  const table = [heads, ...rows.map((row) => row.map((cell) => visible(String(cell)).replaceAll('\n', ' ')))];
  const widths = heads.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  for (const row of table) {
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}
