let isReaderWatched = false;

/** Writes to standard output. Who reads it may have enough, as `head` does: that is no failure. */
function write(text: string): void {
  if (!isReaderWatched) {
    isReaderWatched = true;
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(process.exitCode ?? 0);
    });
  }
  process.stdout.write(text);
}

/** One line of JSON for a program, or words for a person; on standard output both. */
export function print(json: boolean | undefined, value: unknown, words: string): void {
  write(`${json ? JSON.stringify(value) : words}\n`);
}

/** Columns as wide as they need be. */
export function printTable(heads: string[], rows: (string | number)[][]): void {
  if (rows.length === 0) {
    write('None yet.\n');
    return;
  }
  const table = [heads, ...rows.map((row) => row.map(String))];
  const widths = heads.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  for (const row of table) {
    write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}
