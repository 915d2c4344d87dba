import { WorkflowNotFoundError } from '@temporalio/client';
import type { Command } from 'commander';
import type { Ending, Imports } from '../client/imports.ts';
import { RequestRefused } from '../client/refused.ts';
import { mayNotUse, noSuchConnection } from '../model/refused-use.ts';
import { checkImport, type ImportKind } from '../model/request.ts';
import { shellWord } from '../model/shell-word.ts';
import { streams } from '../model/streams.ts';
import { endAbandoned, openRunsUnder } from '../storage/abandoned-runs.ts';
import { type Connection, findConnection } from '../storage/connections.ts';
import { asTyped } from './as-typed.ts';
import { counted } from './counted.ts';
import { displayOn, noDisplay } from './display.ts';
import { follow } from './follow.ts';
import { heldStream } from './held-stream.ts';
import { addFilterOptions, noteFuture, type RequestOptions, requestOf } from './import-request.ts';
import { print, tell } from './output.ts';
import { closingRemedy } from './run-words.ts';
import { refuseTwice } from './said-once.ts';
import { withDatabase, withImports } from './servers.ts';
import { leavingWords } from './until-stopped.ts';

/** Failures that mean the request was wrong, and not that what it asked for failed. */
export const wrongRequest = ['InvalidRequest', 'UnknownConnection', 'ApplicationNotAllowed', 'ImportAlreadyRunning'];

export function addImportCommands(program: Command): void {
  const importing = program.command('import').description('start an import');
  for (const [kind, what] of [
    ['journals', 'import journals, the general ledger'],
    ['invoices', 'import invoices: sales and bills, of every status'],
  ] as const) {
    const command = importing
      .command(kind)
      .description(what)
      .requiredOption('--connection <name>', 'the connection to import through')
      .requiredOption('--application <name>', 'the application that asks');
    addFilterOptions(command, kind)
      .option('--follow', 'show the progress and end with the import')
      .option('--json', 'print one line of JSON')
      .action((options: ImportOptions) => startImport(kind, options));
  }
  refuseTwice(importing);

  for (const [verb, what, done] of [
    [
      'pause',
      'stop an import after its page in flight, until it is resumed',
      'is told to pause after its page in flight',
    ],
    ['resume', 'let a paused import go on', 'is told to go on'],
    [
      'cancel',
      'end an import after its page in flight; what it stored stays',
      'is told to end after its page in flight',
    ],
  ] as const) {
    program
      .command(`${verb} <workflow-id>`)
      .description(what)
      .action((workflowId: string) =>
        withImport(
          workflowId,
          async (imports) => {
            const said = await refuseStranger(imports, workflowId)
              .then(() => imports[verb](workflowId))
              .then(
                () => done,
                async (error: unknown) => {
                  if (verb !== 'cancel' || !(error instanceof WorkflowNotFoundError)) throw error;
                  if (!(await closeAbandoned(imports, workflowId))) throw error;
                  return 'was ended in Temporal from outside; its row is closed';
                },
              );
            print(false, null, `${workflowId} ${said}.`);
          },
          neither(workflowId),
        ),
      );
  }
}

/** Temporal would take the word for any workflow, and one of another type would never heed it. */
async function refuseStranger(imports: Imports, workflowId: string): Promise<void> {
  const type = await imports.strangersType(workflowId);
  if (type === null) return;
  throw new RequestRefused([
    `"${workflowId}" is neither an import nor a reconciliation, but a workflow of type "${type}", which heeds nothing that is said here. ` +
      `To end it: \`temporal workflow terminate --workflow-id ${shellWord(workflowId)}\`.`,
  ]);
}

/** Ends the runs of a workflow that could not do so itself; false when there are none. */
function closeAbandoned(imports: Imports, workflowId: string): Promise<boolean> {
  return withDatabase(async (pool) => {
    let closed = false;
    for (const run of await openRunsUnder(pool, workflowId)) {
      if (await imports.isOpen(run)) continue;
      await endAbandoned(pool, run);
      closed = true;
    }
    return closed;
  });
}

interface ImportOptions extends RequestOptions {
  follow?: boolean;
  json?: boolean;
}

async function startImport(kind: ImportKind, options: ImportOptions): Promise<void> {
  const sent = requestOf(options);
  const problems = await allProblems(kind, sent, options);
  if (problems.length > 0) throw new RequestRefused(problems);
  noteFuture(options);
  await withImports(async (imports) => {
    const checked = checkImport(kind, sent);
    const held = checked.ok ? await withDatabase((pool) => heldStream(pool, imports, kind, checked.request)) : null;
    if (held !== null) throw new RequestRefused([held]);
    const started = await imports.start(kind, sent);
    if (!options.follow) {
      print(
        options.json,
        started,
        `Started ${started.workflowId}. See it with \`daybook status --follow ${started.workflowId}\`.`,
      );
      return;
    }
    await followToEnd(imports, started.workflowId, options.json, expected(options), `Started ${started.workflowId}.`);
  });
}

/** Says how it began, if that is to be said, shows an import's progress until it ends, then how it ended, and sets the exit code. */
export async function followToEnd(
  imports: Imports,
  workflowId: string,
  json: boolean | undefined,
  total: number | null,
  begin?: string,
): Promise<void> {
  const ending = await leavingWords(
    () => goesOn(workflowId),
    () => {
      if (begin !== undefined && !json) tell(begin);
      return follow(imports, workflowId, json ? noDisplay : displayOn(process.stderr, total));
    },
  );
  print(json, { workflowId, ...(ending.ok ? ending.result : { outcome: 'failed', ...ending }) }, inWords(ending));
  // What ended it could not close its row, which would stand as open until the next import of its organisation.
  const left =
    ending.ok || wasTold(ending.failure) ? [] : await withDatabase((pool) => openRunsUnder(pool, workflowId));
  if (left.length > 0) tell(`It was ended in Temporal from outside: ${closingRemedy({ workflowId })}.`);
  if (!ending.ok) process.exitCode = wrongRequest.includes(ending.failure) ? 2 : 1;
  else if (ending.result.outcome !== 'caughtUp') process.exitCode = 1;
}

/** Whether it failed by itself, and so has closed its row. */
function wasTold(failure: string): boolean {
  return !['TerminatedFailure', 'TimeoutFailure'].includes(failure);
}

function goesOn(workflowId: string): string {
  const id = shellWord(workflowId);
  return `The import goes on. Follow it with \`daybook status --follow ${id}\`, end it with \`daybook cancel ${id}\`.`;
}

function inWords(ending: Ending): string {
  if (!ending.ok) return `The import failed (${ending.failure}):\n${ending.message}`;
  const { outcome, message, stream, totals, readThrough } = ending.result;
  // Of an import that came to its end the message says it.
  const isTold = outcome === 'caughtUp' || totals.quarantined === 0;
  const quarantined = isTold ? '' : `, ${totals.quarantined} in quarantine (table daybook.quarantine)`;
  const through = readThrough === null ? 'nothing read' : `read through ${readThrough}`;
  // Troubles of the reference data each have a line of their own.
  const [ended, ...troubles] = message.split('\n');
  const counts = `${counted(totals.stored, streams[stream].rows)} stored${quarantined}, ${through}, ${counted(totals.calls, 'calls')}.`;
  return [`${ended} ${counts}`, ...troubles].join('\n');
}

/** Speaks to one import by its workflow id; that there is none to speak to is a wrong request, told in these words. */
export async function withImport(
  workflowId: string,
  work: (imports: Imports) => Promise<void>,
  none = `No import runs as workflow "${workflowId}"; \`daybook status\` shows the newest ones.`,
): Promise<void> {
  await withImports(work).catch((error: unknown) => {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new RequestRefused([none]);
  });
}

/** Of an id that may be a reconciliation's, too. */
function neither(workflowId: string): string {
  return (
    `No import and no reconciliation runs as workflow "${workflowId}": it has ended, or there was none. \`daybook status\` shows ` +
    'what runs and the newest imports, `daybook reconcile --list` what reconciliations found.'
  );
}

/** All that is wrong with a request, by its schema and by the registry. */
export async function allProblems(kind: ImportKind, request: unknown, options: RequestOptions): Promise<string[]> {
  const checked = checkImport(kind, request);
  return [
    ...(checked.ok ? [] : asTyped(checked.problems)),
    ...(await refusals(options.connection, options.application)),
  ];
}

/** Why the registry refuses; the workflow asks it again, asking first means that nothing is started in vain. No application: the admin. */
export function refusals(name: string, application?: string): Promise<string[]> {
  return withDatabase(async (pool) => refusal(await findConnection(pool, name), name, application));
}

export function refusal(connection: Connection | null, name: string, application?: string): string[] {
  if (!connection) return [noSuchConnection(name)];
  if (application === undefined || connection.applications.includes(application)) return [];
  return [mayNotUse(application, name)];
}

function expected({ from, to, modifiedSince }: ImportOptions): number | null {
  return to === undefined || modifiedSince !== undefined ? null : Number(to) - Number(from ?? 1) + 1;
}
