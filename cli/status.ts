import type { Command } from 'commander';
import type { FoundRun } from '../client/found-run.ts';
import { readThrough } from '../model/run.ts';
import { shellWord } from '../model/shell-word.ts';
import { type RunSummary, recentRuns } from '../storage/runs.ts';
import { followToEnd, withImport } from './imports.ts';
import { print, printTable } from './output.ts';
import { withDatabase, withImports } from './servers.ts';

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('show the newest imports')
    .option('--connection <name>', 'of one connection only')
    .option('--follow <workflow id>', 'show the progress of one import until it ends')
    .option('--json', 'print JSON')
    .action(status);
}

async function status(options: { connection?: string; follow?: string; json?: boolean }): Promise<void> {
  if (options.follow) {
    const workflowId = options.follow;
    return withImport(workflowId, (imports) => followToEnd(imports, workflowId, options.json, null));
  }
  const runs = await withDatabase((pool) => recentRuns(pool, 20, options.connection));
  const found = await foundInTemporal(runs);
  if (options.json) {
    const shown = runs.map((run) => ({ ...run, trouble: found.get(run.runId)?.trouble ?? null }));
    return print(true, shown, '');
  }
  printTable(
    ['started', 'workflow', 'status', 'stored', 'calls', 'through', 'what for'],
    runs.map((run) => [
      run.startedAt.toISOString().slice(0, 19),
      run.workflowId,
      run.status,
      run.totals.stored,
      run.totals.calls,
      readThrough(run.stream, run.nextOffset) ?? '',
      whatFor(run, found.get(run.runId)),
    ]),
  );
}

/** What Temporal knows of the runs that are at work; nothing when it cannot be asked. */
async function foundInTemporal(runs: RunSummary[]): Promise<Map<string, FoundRun>> {
  const atWork = runs.filter(({ endedAt, status }) => endedAt === null && status !== 'needsReconnect');
  if (atWork.length === 0) return new Map();
  return withImports(
    async (imports) =>
      new Map(await Promise.all(atWork.map(async (run) => [run.runId, await imports.found(run)] as const))),
  ).catch(() => new Map());
}

function whatFor(run: RunSummary, found: FoundRun | undefined): string {
  if (found?.isOpen === false)
    return 'ended in Temporal from outside; the next import of its organisation closes this row';
  if (run.status === 'needsReconnect')
    return `a new consent: daybook connect --name ${run.connectionName} --application ${shellWord(run.application)}`;
  if (run.waitingUntil) return `goes on at ${run.waitingUntil.toISOString()}`;
  if (found?.trouble) return `failed ${found.trouble.failures} times in a row, tried again: ${found.trouble.message}`;
  return run.message ?? '';
}
