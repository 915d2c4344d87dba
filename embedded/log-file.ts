import { openSync, readFileSync, renameSync, statSync } from 'node:fs';

const KEEP_BYTES = 20 * 1024 * 1024;

/**
 * Opens a server's log for appending and returns its descriptor. A log above 20 MiB is moved to `<file>.old` first, so
 * that a server which runs for months fills no disk over its restarts.
 */
export function openLog(file: string): number {
  try {
    if (statSync(file).size > KEEP_BYTES) renameSync(file, `${file}.old`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return openSync(file, 'a', 0o600);
}

/** The last lines of a log, for an error message; a remark when there are none. */
export function lastLines(file: string, count = 12): string {
  try {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count);
    return lines.join('\n').trim() === '' ? '(its log is empty)' : lines.join('\n');
  } catch {
    return '(it wrote no log)';
  }
}
