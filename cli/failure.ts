import { CommanderError } from 'commander';
import { ActRefused } from '../admin/refused.ts';
import { RequestRefused } from '../client/imports.ts';
import { ConfigurationError } from '../config/config.ts';
import { NameRefused } from '../storage/connections.ts';
import { UnfitDatabase } from '../storage/migrate.ts';

const mendable = [ConfigurationError, RequestRefused, ActRefused, NameRefused, UnfitDatabase];

/** What a command that failed says on standard error, and its exit code: 2 for what a person can mend, 1 for the rest. */
export function explain(error: unknown): { text: string; exitCode: number } {
  // Commander has said it already; asking for help is no mistake.
  if (error instanceof CommanderError) return { text: '', exitCode: error.exitCode === 0 ? 0 : 2 };
  if (mendable.some((kind) => error instanceof kind)) return { text: `${(error as Error).message}\n`, exitCode: 2 };
  if (error instanceof Error && error.name === 'NamespaceNotFoundError') {
    const text = `${error.message}. It is what TEMPORAL_NAMESPACE names; create it in Temporal, or name another.\n`;
    return { text, exitCode: 2 };
  }
  return { text: `${error instanceof Error ? error.stack : String(error)}\n`, exitCode: 1 };
}
