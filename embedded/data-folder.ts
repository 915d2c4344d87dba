import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';

/** Its owner's alone. As root, Postgres runs under another account, which has to pass through it; what is in it is closed. */
const folderMode = process.getuid?.() === 0 ? 0o711 : 0o700;

/**
 * Makes Daybook's data folder, closed to others, and closes one that is called `.daybook`, or lies in such a folder, as older
 * versions left it open. Any other folder stays as it was found: who made it may keep more in it, and let others read that.
 */
export function makeDataFolder(dataDir: string): void {
  makeFolder(resolve(dataDir));
  if (resolve(dataDir).split(sep).includes('.daybook')) narrow(dataDir, folderMode);
}

/**
 * One by one: where the system says of a folder that is there that it is not, as /proc does, Node's own `recursive` tries for ever, and
 * hears no signal meanwhile.
 */
function makeFolder(folder: string): void {
  if (isFolder(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: folderMode });
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && isFolder(folder)) return;
    throw error;
  }
}

/** False where nobody can say: making it then tells why. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Takes from a file or folder of ours the rights that go beyond a mode; one of another account, or that is not there, is left. */
export function narrow(path: string, allowed: number): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.uid !== process.getuid?.()) return;
  if ((found.mode & 0o777 & ~allowed) !== 0) chmodSync(path, found.mode & allowed);
}
