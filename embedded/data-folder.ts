import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { resolve, sep } from 'node:path';

/** Its owner's alone. As root, Postgres runs under another account, which has to pass through it; what is in it is closed. */
const folderMode = process.getuid?.() === 0 ? 0o711 : 0o700;

/**
 * Makes Daybook's data folder, closed to others, and closes one that is called `.daybook`, or lies in such a folder, as older
 * versions left it open. Any other folder stays as it was found: who made it may keep more in it, and let others read that.
 */
export function makeDataFolder(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: folderMode });
  if (resolve(dataDir).split(sep).includes('.daybook')) narrow(dataDir, folderMode);
}

/** Takes from a file or folder of ours the rights that go beyond a mode; one of another account, or that is not there, is left. */
export function narrow(path: string, allowed: number): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.uid !== process.getuid?.()) return;
  if ((found.mode & 0o777 & ~allowed) !== 0) chmodSync(path, found.mode & allowed);
}
