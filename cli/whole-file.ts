import { randomUUID } from 'node:crypto';
import { createWriteStream, realpathSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';

/** Why a file cannot be written there, in a sentence; null when nothing speaks against it. */
export function whyNotThere(path: string): string | null {
  if (path.trim() === '') return '--out names no file; name one, or leave --out out for standard output.';
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return `"${path}" is a folder, not a file.`;
  const folder = dirname(resolve(path));
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return null;
  return `There is no folder "${folder}" to write "${path}" into.`;
}

/**
 * Writes a file that is there only once it is whole: it is written under another name beside it, and takes the place of the
 * one that was there, if any. What was begun is taken away when `write` fails. A pipe or device is written straight.
 */
export async function writeWhole<T>(path: string, write: (into: Writable) => Promise<T>): Promise<T> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found && !found.isFile()) return write(createWriteStream(path));
  // Through a link, lest the link be replaced instead of the file.
  const target = found ? realpathSync(path) : resolve(path);
  const partial = join(dirname(target), `.${basename(target)}.${randomUUID().slice(0, 8)}.part`);
  try {
    const written = await write(createWriteStream(partial, { flags: 'wx', mode: found?.mode ?? 0o666, flush: true }));
    await rename(partial, target);
    return written;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
