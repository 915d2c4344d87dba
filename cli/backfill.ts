import { type Command, Option } from 'commander';
import { startBackfills } from '../client/backfill.ts';
import { RequestRefused } from '../client/refused.ts';
import { usualCallsADay } from '../model/plan.ts';
import { checkImport, type ImportKind, type ImportRequest, mostCallsADay } from '../model/request.ts';
import { type Connection, listConnections } from '../storage/connections.ts';
import { addFilterOptions, type RequestOptions, requestOf } from './import-request.ts';
import { refusal } from './imports.ts';
import { makePlan } from './make-plan.ts';
import { wholeNumber } from './number-option.ts';
import { print } from './output.ts';
import { costInWords } from './plan-sentences.ts';
import { refuseTwice } from './said-once.ts';
import { withDatabase, withImports } from './servers.ts';

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
  const costs = await withDatabase(async (pool) => {
    const planned = new Map<string, string>();
    for (const connection of await connectionsOf(kind, options, requestFor, await listConnections(pool))) {
      const asked = requestFor(connection.name) as unknown as ImportRequest;
      const suppositions = { newest: null, callsADay: usualCallsADay };
      const plan = await makePlan(pool, kind, asked, connection, suppositions, Date.now());
      planned.set(connection.name, costInWords(plan));
    }
    return planned;
  });
  await withImports(async (imports) => {
    const all = await startBackfills(imports, kind, [...costs.keys()], requestFor(''));
    const lines = all.map(({ connection, workflowId, started }) =>
      started ? `Started ${workflowId}. ${costs.get(connection)}` : `${workflowId} is running already.`,
    );
    print(json, all, `${lines.join('\n')}\nSee all with \`daybook status\`.`);
  });
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
  if (!checked.ok) problems.push(...checked.problems);
  const meant = allConnections ? listed.map(({ name }) => name) : [...new Set(named)];
  const found = meant.map((name) => ({ name, connection: all.find((each) => each.name === name) ?? null }));
  for (const { name, connection } of found) problems.push(...refusal(connection, name, application));
  if (problems.length > 0) throw new RequestRefused(problems);
  return found.flatMap(({ connection }) => connection ?? []);
}

function collect(name: string, names: string[]): string[] {
  return [...names, name];
}
