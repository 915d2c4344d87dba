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

/** One line of JSON for a program, or words for a person; on standard output both. */
export function print(json: boolean | undefined, value: unknown, words: string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : words}\n`);
}

/** Columns as wide as they need be. */
export function printTable(heads: string[], rows: (string | number)[][]): void {
  if (rows.length === 0) {
    process.stdout.write('None yet.\n');
    return;
  }
  const table = [heads, ...rows.map((row) => row.map(String))];
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
