import { CommanderError } from 'commander';
import { ActRefused } from '../admin/refused.ts';
import { RequestRefused } from '../client/refused.ts';
import { ConfigurationError } from '../config/config.ts';
import { NotRemovedYet } from '../storage/applications.ts';
import { NameRefused } from '../storage/connections.ts';
import { UnfitDatabase } from '../storage/migrate.ts';
import { isAway, isReadOnly } from '../storage/pool.ts';

const mendable = [ConfigurationError, RequestRefused, ActRefused, NameRefused, NotRemovedYet, UnfitDatabase];

/** What a command that failed says on standard error, and its exit code: 2 for what a person can mend, 1 for the rest. */
export function explain(error: unknown): { text: string; exitCode: number } {
  // Commander has said it already; asking for help is no mistake.
  if (error instanceof CommanderError) return { text: '', exitCode: error.exitCode === 0 ? 0 : 2 };
  if (mendable.some((kind) => error instanceof kind)) return { text: `${(error as Error).message}\n`, exitCode: 2 };
  if (error instanceof Error && error.name === 'NamespaceNotFoundError') {
    const text = `${error.message}. It is what TEMPORAL_NAMESPACE names; create it in Temporal, or name another.\n`;
    return { text, exitCode: 2 };
  }
  if (isAway(error)) {
    const text = `Postgres went away in the middle of this: ${(error as Error).message}. See \`daybook doctor\`, and try again.\n`;
    return { text, exitCode: 1 };
  }
  if (isReadOnly(error)) {
    const text = `Postgres takes no writes: ${(error as Error).message}. \`daybook doctor\` says why, and what to do.\n`;
    return { text, exitCode: 2 };
  }
  const refusal = refusedBySystem(error);
  if (refusal !== null) return refusal;
  // Errors of Temporal's native part come without a stack.
  return { text: `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`, exitCode: 1 };
}

const systemRefusals: Record<string, string> = {
  ENOSPC: 'there is no space left on the disk',
  EDQUOT: 'the account’s part of the disk is used up',
  EROFS: 'it is on a disk that may only be read',
  EACCES: 'this account may not',
  EPERM: 'this account may not',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'there is a file of this name',
};

/** A disk has no room at the moment; all else is wrong with the file that was named, and with that the request or configuration. */
const fullDisks = ['ENOSPC', 'EDQUOT'];

/** What the operating system refuses of a file is for a person to mend, who is not helped by a stack. */
function refusedBySystem(error: unknown): { text: string; exitCode: number } | null {
  if (!(error instanceof Error)) return null;
  const { code = '', path, syscall } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' && syscall === 'mkdir' ? 'no folder can be made there' : systemRefusals[code];
  if (why === undefined) return null;
  const deed = syscall === 'write' || syscall === 'fsync' ? 'written' : 'used';
  const what = path === undefined ? 'The output' : `"${path}"`;
  const exitCode = path === undefined || fullDisks.includes(code) ? 1 : 2;
  return { text: `${what} cannot be ${deed}: ${why} (${code}).\n`, exitCode };
}
