import { type Command, Option } from 'commander';
import { type StartedBackfill, startBackfills } from '../client/backfill.ts';
import { workflowIdFor } from '../client/imports.ts';
import { RequestRefused } from '../client/refused.ts';
import { usualCallsADay } from '../model/plan.ts';
import { checkImport, type ImportKind, type ImportRequest, mostCallsADay } from '../model/request.ts';
import { type Connection, listConnections } from '../storage/connections.ts';
import { asTyped } from './as-typed.ts';
import { heldStream } from './held-stream.ts';
import { addFilterOptions, type RequestOptions, requestOf } from './import-request.ts';
import { refusal } from './imports.ts';
import { makePlan, type Plan } from './make-plan.ts';
import { wholeNumber } from './number-option.ts';
import { print, tell } from './output.ts';
import { costInWords } from './plan-sentences.ts';
import { refuseTwice } from './said-once.ts';
import { withDatabase, withImports } from './servers.ts';
import { starvedInWords } from './starved-words.ts';

interface BackfillOptions extends Omit<RequestOptions, 'connection'> {
  connection: string[];
  allConnections?: boolean;
  reserve: number;
  json?: boolean;
}

/** Half of a day's calls on Xero's smallest tier, a tenth on the others. */
const usualReserve = 500;

/** Imports over as many days as they take, which leave calls to others. */
export function addBackfillCommand(program: Command): void {
  const backfill = program
    .command('backfill')
    .description('import over days, leaving calls to others: a reserve of each day, and a part of each minute');
  for (const kind of ['journals', 'invoices'] as const) {
    const command = backfill
      .command(kind)
      .description(`import ${kind} over as many days as it takes`)
      .addOption(
        new Option('--connection <name>', 'the connection to import through; may be given again')
          .argParser(collect)
          .default([], 'none'),
      )
      .option('--all-connections', 'each connection that lists the application')
      .requiredOption('--application <name>', 'the application that asks')
      .option(
        '--reserve <calls>',
        'how many of each day’s calls are left to others',
        wholeNumber(0, mostCallsADay),
        usualReserve,
      );
    addFilterOptions(command, kind)
      .option('--json', 'print one line of JSON')
      .action((options: BackfillOptions) => start(kind, options));
  }
  refuseTwice(backfill);
}

async function start(kind: ImportKind, options: BackfillOptions): Promise<void> {
  const { reserve, json } = options;
  const requestFor = (connection: string) => ({ ...requestOf({ ...options, connection }), quotaReserve: reserve });
  const askedOf = ({ name }: Connection) => ({ ...requestFor(name), backfill: true }) as unknown as ImportRequest;
  await withDatabase(async (pool) => {
    const meant = await connectionsOf(kind, options, requestFor, await listConnections(pool));
    const plans = new Map<string, Plan>();
    for (const connection of meant) {
      const suppositions = { newest: null, callsADay: usualCallsADay };
      plans.set(connection.name, await makePlan(pool, kind, askedOf(connection), connection, suppositions, Date.now()));
    }
    await withImports(async (imports) => {
      const refused = sharing(meant, plans);
      for (const connection of meant) {
        const held = await heldStream(pool, imports, kind, askedOf(connection));
        if (held !== null) refused.set(connection.name, held);
      }
      const names = [...plans.keys()];
      const startable = names.filter((name) => !refused.has(name));
      const started = await startBackfills(imports, kind, startable, requestFor(''));
      const all = meant.map((connection): Outcome => {
        const { name } = connection;
        const workflowId = workflowIdFor(kind, askedOf(connection));
        const reason = refused.get(name);
        if (reason !== undefined) return { connection: name, workflowId, started: false, reason };
        const isNew = started.some((each) => each.connection === name && each.started);
        return {
          connection: name,
          workflowId,
          started: isNew,
          ...(isNew ? {} : { reason: `${workflowId} is running already.` }),
        };
      });
      print(json, all, [...all.map((each) => inWords(each, plans)), 'See all with `daybook status`.'].join('\n'));
      for (const note of starvedAmong(startable, plans)) tell(`Note: ${note}`);
      if (refused.size > 0) process.exitCode = 2;
    });
  });
}

/** What became of one connection's backfill; `reason`: why it was not started. */
type Outcome = StartedBackfill & { reason?: string };

function inWords({ connection, workflowId, reason }: Outcome, plans: ReadonlyMap<string, Plan>): string {
  const plan = plans.get(connection);
  return reason ?? [`Started ${workflowId}.`, plan ? costInWords(plan) : ''].filter(Boolean).join(' ');
}

/** Two names of one organisation are one stream: a moment after its start the second would be refused for the first. */
function sharing(meant: readonly Connection[], plans: ReadonlyMap<string, Plan>): Map<string, string> {
  const first = new Map<string, string>();
  const refused = new Map<string, string>();
  for (const { name, tenantId, tenantName } of meant) {
    if (!plans.get(name)?.movesWatermark) continue;
    const other = first.get(tenantId);
    if (other === undefined) first.set(tenantId, name);
    else
      refused.set(
        name,
        `"${name}" is the same organisation as "${other}" (${tenantName}), whose backfill brings all of it.`,
      );
  }
  return refused;
}

/** What is to be said of reserves that leave imports next to nothing, whether or not it is known how much is to come. */
function starvedAmong(names: readonly string[], plans: ReadonlyMap<string, Plan>): Set<string> {
  const notes = names.map((name) => {
    const quota = plans.get(name)?.quota;
    return quota ? starvedInWords(quota.reserve, quota.dayRemaining) : null;
  });
  return new Set(notes.flatMap((note) => note ?? []));
}

/** The connections meant. @throws RequestRefused with all that is wrong with the request or with any of them. */
function connectionsOf(
  kind: ImportKind,
  { connection: named, allConnections = false, application }: BackfillOptions,
  requestFor: (connection: string) => unknown,
  all: Connection[],
): Connection[] {
  const problems: string[] = [];
  if (allConnections !== (named.length === 0)) {
    problems.push('Say either --connection NAME (again for each further one) or --all-connections.');
  }
  const listed = all.filter(({ applications }) => applications.includes(application));
  if (allConnections && listed.length === 0) problems.push(`No connection lists the application "${application}".`);
  const checked = checkImport(kind, requestFor(named[0] ?? 'any'));
  if (!checked.ok) problems.push(...asTyped(checked.problems));
  const meant = allConnections ? listed.map(({ name }) => name) : [...new Set(named)];
  const found = meant.map((name) => ({ name, connection: all.find((each) => each.name === name) ?? null }));
  for (const { name, connection } of found) problems.push(...refusal(connection, name, application));
  if (problems.length > 0) throw new RequestRefused(problems);
  return found.flatMap(({ connection }) => connection ?? []);
}

function collect(name: string, names: string[]): string[] {
  return [...names, name];
}
