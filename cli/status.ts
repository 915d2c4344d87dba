import type { Command } from 'commander';
import type pg from 'pg';
import { unknownConnection } from '../admin/refused.ts';
import type { FoundRun } from '../client/found-run.ts';
import type { Imports } from '../client/imports.ts';
import { RequestRefused } from '../client/refused.ts';
import type { RunningWorkflow } from '../client/running.ts';
import { noTotals, readThrough } from '../model/run.ts';
import { findConnection } from '../storage/connections.ts';
import { type RunSummary, recentRuns } from '../storage/runs.ts';
import { followToEnd, withImport } from './imports.ts';
import { print, printTable, tell } from './output.ts';
import { withoutRecovered } from './recovered.ts';
import { closingRemedy, forgottenInWords, pauseInTemporal, troubleInWords, waitInWords } from './run-words.ts';
import { withDatabase, withImports } from './servers.ts';
import { isUntaken, type RefusedImport, refusedImports, starting } from './starting.ts';

interface Options {
  connection?: string;
  follow?: string;
  json?: boolean;
}

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('show the newest imports, and all that are open')
    .option('--connection <name>', 'of one connection only')
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

async function status(pool: pg.Pool, { connection, json }: Options): Promise<void> {
  const known = await recentRuns(pool, 20, connection);
  // A connection that was removed leaves its runs.
  if (connection !== undefined && known.length === 0 && (await findConnection(pool, connection)) === null)
    throw unknownConnection(connection);
  // What Postgres knows is shown also while Temporal is away.
  const { found, begun, refused } = await withImports(async (imports) => {
    const begun = await starts(imports, pool, connection);
    const found = await withoutRecovered(pool, await imports.foundAll([...begun, ...atWork(known)]));
    return { found, begun, refused: await refusedImports(pool, imports, connection) };
  }, connectTimeout).catch((error: Error) => {
    tell(`What has not begun is not shown, nor what was refused or what holds an import up: ${error.message}`);
    return { found: new Map<string, FoundRun>(), begun: [], refused: [] };
  });
  // A run writes its end before its workflow closes: what is open still, now that Temporal has answered, was ended from outside.
  const hasClosed = [...found.values()].some(({ isOpen }) => !isOpen);
  const runs = hasClosed ? await recentRuns(pool, 20, connection) : known;
  const toBegin = begun.map((run) => startLine(run, found.get(run.runId)));
  const begunOnce = [...runs.map((run) => runLine(run, found.get(run.runId))), ...refused.map(refusedLine)];
  const lines = [...toBegin, ...begunOnce.sort((one, other) => other.at.getTime() - one.at.getTime())];
  if (json)
    return print(
      true,
      lines.map((line) => line.json),
      '',
    );
  printTable(
    ['started (UTC)', 'workflow', 'status', 'stored', 'in quarantine', 'calls', 'through', 'what for'],
    lines.map(({ at, cells }) => [second(at), ...cells]),
  );
}

/** What is printed of one import, for people and for programs. */
interface Line {
  at: Date;
  /** The columns behind the instant at which it was started. */
  cells: (string | number)[];
  json: object;
}

function runLine(run: RunSummary, found: FoundRun | undefined): Line {
  const { workflowId, status, totals } = run;
  const through = readThrough(run.stream, run.nextOffset) ?? '';
  const { stored, quarantined, calls } = totals;
  const cells = [workflowId, status, stored, quarantined, calls, through, whatFor(run, found)];
  return { at: run.startedAt, cells, json: inJson(run, found) };
}

function startLine(run: RunningWorkflow, found: FoundRun | undefined): Line {
  const cells = [run.workflowId, startStatus(run), '', '', '', '', startInWords(run, found)];
  return { at: run.startedAt, cells, json: startInJson(run, found) };
}

function refusedLine({ workflowId, runId, startedAt, endedAt, failure, message, connection }: RefusedImport): Line {
  const run = { workflowId, runId, connectionName: connection, startedAt, endedAt, failure, message };
  return {
    at: startedAt,
    cells: [workflowId, 'failed', '', '', '', '', message.replaceAll('\n', ' ')],
    json: { ...run, status: 'failed', totals: noTotals, trouble: null },
  };
}

/** The runs of which Temporal is asked how they fare. */
function atWork(runs: RunSummary[]): RunSummary[] {
  return runs.filter(({ endedAt, status: is }) => endedAt === null && is !== 'needsReconnect');
}

/** Imports that Postgres does not know yet. */
async function starts(imports: Imports, pool: pg.Pool, connection: string | undefined): Promise<RunningWorkflow[]> {
  const all = await starting(pool, await imports.running());
  if (connection === undefined) return all;
  const named = await Promise.all(all.map(({ workflowId }) => imports.connectionOf(workflowId)));
  return all.filter((_, index) => named[index] === connection);
}

function startStatus({ isAsleep }: RunningWorkflow) {
  return isAsleep ? 'forgotten' : 'starting';
}

function startInWords(run: RunningWorkflow, found: FoundRun | undefined): string {
  const paused = pauseInTemporal(run, found);
  if (paused !== null) return paused;
  if (run.isAsleep) return forgottenInWords(run.workflowId);
  if (run.beginsAt.getTime() > Date.now()) return `begins at ${run.beginsAt.toISOString()}`;
  if (found?.trouble) return troubleInWords(found.trouble);
  return isUntaken(run, Date.now()) ? 'no worker has taken it yet: see `daybook doctor`' : '';
}

function startInJson(run: RunningWorkflow, found: FoundRun | undefined) {
  const { workflowId, runId, startedAt, untakenSince } = run;
  const at = { startedAt, endedAt: null, untakenSince };
  return { workflowId, runId, status: startStatus(run), totals: noTotals, ...at, ...inTemporal(found) };
}

/** The place among invoices means nothing for journals. */
function inJson({ invoicePlace, ...run }: RunSummary, found: FoundRun | undefined) {
  return { ...run, ...(run.stream === 'invoices' ? { invoicePlace } : {}), ...inTemporal(found) };
}

function inTemporal(found: FoundRun | undefined): Pick<FoundRun, 'trouble'> & { pausedInTemporal: boolean } {
  return { trouble: found?.trouble ?? null, pausedInTemporal: found?.isPaused ?? false };
}

function whatFor(run: RunSummary, found: FoundRun | undefined): string {
  if (run.endedAt !== null) return run.message ?? '';
  if (found?.isOpen === false) return `ended in Temporal from outside; ${closingRemedy(run)}`;
  const waits = pauseInTemporal(run, found) ?? waitInWords(run);
  if (waits !== null) return waits;
  if (found?.trouble) return troubleInWords(found.trouble);
  return run.status === 'stopping' ? 'ends after its page in flight' : '';
}

function second(instant: Date): string {
  return instant.toISOString().slice(0, 19);
}
