import { type Command, Option } from 'commander';
import type pg from 'pg';
import { unknownConnection } from '../admin/refused.ts';
import type { FoundRun } from '../client/found-run.ts';
import type { Imports } from '../client/imports.ts';
import { reconciliationType } from '../client/reconciliations.ts';
import { RequestRefused } from '../client/refused.ts';
import { connectionIn } from '../client/running.ts';
import { type RunStatus, runStatuses } from '../model/run.ts';
import { findConnection, listConnections } from '../storage/connections.ts';
import { countRuns, type RecentRun, type RunFilter, recentRuns } from '../storage/recent-runs.ts';
import { applicationOf } from './asked-words.ts';
import { followToEnd, withImport } from './imports.ts';
import { wholeNumber } from './number-option.ts';
import { print, printTable, tell } from './output.ts';
import { withoutRecovered } from './recovered.ts';
import { withDatabase, withImports } from './servers.ts';
import { refusedImports, starting } from './starting.ts';
import { heads, type Line, refusedLine, runLine, type Start, startLine } from './status-lines.ts';

interface Options {
  connection?: string;
  application?: string;
  state?: State;
  limit: number;
  follow?: string;
  json?: boolean;
}

/** `starting`: no worker has begun with it, so Postgres does not know it. */
type State = RunStatus | 'starting';

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('show the newest imports, and all that are open')
    .option('--connection <name>', 'of one connection only')
    .option('--application <name>', 'those that one application has asked for only')
    .addOption(new Option('--state <state>', 'those in this state only').choices(['starting', ...runStatuses]))
    .option('--limit <count>', 'how many of the newest', wholeNumber(1, 1_000), 20)
    .option('--follow <workflow id>', 'show the progress of one import until it ends')
    .option('--json', 'print JSON')
    .action((options: Options) => {
      const { follow: workflowId, json } = options;
      if (workflowId === undefined) return withDatabase((pool) => status(pool, options));
      return withImport(workflowId, async (imports) => {
        if (!(await imports.isImport(workflowId)))
          throw new RequestRefused([
            `"${workflowId}" is no import; what reconciliations found is in \`daybook reconcile --list\`.`,
          ]);
        await followToEnd(imports, workflowId, json, null);
      });
    });
}

/** Who only looks waits less than who has work to do. */
const connectTimeout = '4s';

async function status(pool: pg.Pool, { connection, application, state, limit, json }: Options): Promise<void> {
  const of = { connection, application, status: state === 'starting' ? undefined : state };
  const read = async () => (state === 'starting' ? [] : await recentRuns(pool, limit, of));
  const known = await read();
  // A connection that was removed leaves its runs.
  if (connection !== undefined && known.length === 0 && (await findConnection(pool, connection)) === null)
    throw unknownConnection(connection);
  const isMeant = ({ request }: { request: unknown }) =>
    (connection === undefined || connectionIn(request) === connection) &&
    (application === undefined || applicationOf(request) === application);
  // What Postgres knows is shown also while Temporal is away.
  const { found, begun, refused, reconciling } = await withImports(async (imports) => {
    const running = await imports.running();
    const reconciliations = running.filter(({ workflowType }) => workflowType === reconciliationType);
    const [begun, reconciling, refused] = await Promise.all([
      asked(imports, await starting(pool, running)),
      asked(imports, reconciliations),
      refusedImports(pool, imports),
    ]);
    const found = await withoutRecovered(pool, await imports.foundAll([...begun, ...atWork(known)]));
    return { found, begun, refused, reconciling };
  }, connectTimeout).catch((error: Error) => {
    tell(`What has not begun is not shown, nor what was refused or what holds an import up: ${error.message}`);
    return { found: new Map<string, FoundRun>(), begun: [], refused: [], reconciling: [] };
  });
  // A run writes its end before its workflow closes: what is open still, now that Temporal has answered, was ended from outside.
  const hasClosed = [...found.values()].some(({ isOpen }) => !isOpen);
  const runs = hasClosed ? await read() : known;
  const ids = new Map((await listConnections(pool)).map(({ name, connectionId }) => [name, connectionId]));
  const toBegin = begun
    .filter((each) => isMeant(each) && (state ?? 'starting') === 'starting')
    .map((run) => startLine(run, found.get(run.runId), ids));
  const begunOnce = [
    ...runs.map((run) => runLine(run, found.get(run.runId))),
    ...refused
      .filter((each) => isMeant(each) && (state ?? 'failed') === 'failed')
      .map((each) => refusedLine(each, ids)),
  ];
  const lines = [...toBegin, ...begunOnce.sort((one, other) => other.at.getTime() - one.at.getTime())];
  if (json)
    return print(
      true,
      lines.map((line) => line.json),
      '',
    );
  show(lines);
  if (state !== 'starting') await sayLeftOut(pool, of, runs.length);
  for (const { workflowId, startedAt } of state === undefined ? reconciling.filter(isMeant) : [])
    print(
      false,
      null,
      `Reconciling since ${second(startedAt)}: ${workflowId}. \`daybook reconcile --list\` shows what others found.`,
    );
}

function show(lines: Line[]): void {
  printTable(
    heads,
    lines.map(({ at, cells }) => [second(at), ...cells]),
  );
}

async function sayLeftOut(pool: pg.Pool, of: RunFilter, shown: number): Promise<void> {
  const all = await countRuns(pool, of);
  if (all > shown) print(false, null, `${shown} of ${all} imports are shown, the newest; \`--limit\` shows more.`);
}

/** The runs of which Temporal is asked how they fare. */
function atWork(runs: RecentRun[]): RecentRun[] {
  return runs.filter(({ endedAt, status: is }) => endedAt === null && is !== 'needsReconnect');
}

/** With what each was asked for. */
function asked(imports: Imports, running: Omit<Start, 'request'>[]): Promise<Start[]> {
  return Promise.all(running.map(async (each) => ({ ...each, request: await imports.requestOf(each.workflowId) })));
}

function second(instant: Date): string {
  return instant.toISOString().slice(0, 19);
}
