import type { Command } from 'commander';
import { type ImportKind, instantOf } from '../model/request.ts';
import { tell } from './output.ts';

/** What a command line says of an import; what is not a number is passed on as it is, for the schema to name it. */
export interface RequestOptions {
  connection: string;
  application: string;
  from?: string;
  to?: string;
  modifiedSince?: string;
  basis?: string;
  full?: boolean;
}

/** Adds the options that make an import request of a kind, but for the connection and the application. */
export function addFilterOptions(command: Command, kind: ImportKind): Command {
  if (kind === 'invoices') {
    command.option('--modified-since <date>', 'updated on or after: 2026-07-01 (midnight UTC) or 2026-07-01T09:30:00Z');
  } else {
    command
      .option('--from <journal id>', 'first Journal ID, inclusive (as shown in Xero’s Journal Report)')
      .option('--to <journal id>', 'last Journal ID, inclusive')
      .option('--modified-since <date>', 'created on or after: 2026-07-01 (midnight UTC) or 2026-07-01T09:30:00Z')
      .option('--basis <basis>', 'accrual (the ledger) or cash');
  }
  return command.option('--full', 'read everything again, not only what is new');
}

/** The request as a person would write it in JSON: what was not said is absent. */
export function requestOf(options: RequestOptions): { [field: string]: unknown } {
  const request = {
    connection: options.connection,
    application: options.application,
    startingAtJournalId: asNumber(options.from),
    endingAtJournalId: asNumber(options.to),
    modifiedSince: options.modifiedSince,
    basis: options.basis,
    full: options.full,
  };
  return JSON.parse(JSON.stringify(request));
}

/** A note on a date that is still to come: it may be tomorrow's in the user's own zone, so it is no wrong request. */
export function noteFuture({ modifiedSince }: RequestOptions): void {
  const since = modifiedSince === undefined ? null : instantOf(modifiedSince);
  if (since === null || since <= Date.now()) return;
  tell(
    `Note: ${modifiedSince} has not come yet (${new Date(since).toISOString()}), so nothing can have been modified since.`,
  );
}

/** What is not a number stays as it is. */
function asNumber(text: string | undefined): number | string | undefined {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : text;
}
