import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection as TemporalConnection } from '@temporalio/client';
import type { Command } from 'commander';
import type pg from 'pg';
import { createImports, type Imports } from '../client/imports.ts';
import { ConfigurationError, loadConfig } from '../config/config.ts';
import { lockOwner } from '../embedded/lock.ts';
import type { Organisation } from '../sandbox/server.ts';
import { type LedgerSummary, summariseLedger } from '../storage/ledger-summary.ts';
import { openPool } from '../storage/pool.ts';
import { differences, plain } from './comparison.ts';
import { connectSandbox } from './connect.ts';
import { createVoice, type Voice } from './display.ts';
import { follow } from './follow.ts';
import { standInOrganisations } from './sandbox-file.ts';
import type { Stack } from './stack.ts';
import { leaveWhenStopped, untilStopped } from './until-stopped.ts';
import type { WorkerProcess } from './worker-process.ts';

const journals = 4_000;
/** Fewer than the 41 calls that the books take, and two that try the connection, so the day's quota is spent once on the way. */
const callsADay = 27;
const secondsADay = 30;
/** After this many pages the worker is killed. */
const pagesBeforeTheKill = 8;

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('watch an import go through a daily quota and a killed worker; needs no account, and ends by itself')
    .option('--keep', 'stay up afterwards, to look around')
    .action(demo);
}

async function demo({ keep }: { keep?: boolean }): Promise<void> {
  leaveWhenStopped(130);
  const voice = createVoice(process.stdout);
  const { say } = voice;
  const base = loadConfig({ DAYBOOK_DATA_DIR: process.env.DAYBOOK_DATA_DIR, DAYBOOK_LOG_LEVEL: 'warn' });
  const config = { ...base, dataDir: join(base.dataDir, 'demo') };
  say(
    `Daybook's demo: a local Xero with ${journals} journals, ${callsADay} calls a "day" of ${secondsADay} seconds, and a worker that is killed on the way.\n`,
  );
  refuseRunning(config.dataDir);
  rmSync(config.dataDir, { recursive: true, force: true });
  // Loaded here: a worker, which is the same program, does without the servers and the sandbox.
  const { startStack } = await import('./stack.ts');
  const stack = await startStack({
    config,
    environment: ownEnvironment(),
    sandbox: {
      organisations: standInOrganisations,
      journals,
      limits: { day: callsADay, dayWindowSeconds: secondsADay, dayAnchor: 'firstCall' },
      latencyMs: 60,
    },
    binDir: join(base.dataDir, 'bin'),
    say,
  });
  try {
    const pool = openPool(stack.databaseUrl, 2, () => {});
    const connection = await TemporalConnection.connect({ address: stack.temporalAddress });
    try {
      const imports = createImports(new Client({ connection }), config.taskQueue);
      const right = await runImport(stack, imports, pool, voice);
      say(whereToLook(stack, keep === true, config.dataDir));
      if (!right) process.exitCode = 1;
      if (keep) await untilStopped();
    } finally {
      await pool.end();
      await connection.close();
    }
  } finally {
    await stack.stop();
  }
}

/** Its folder is made anew: not under servers that run from it, by `demo --keep` or an `up`. */
function refuseRunning(dataDir: string): void {
  const owner = lockOwner(join(dataDir, 'postgres.lock'));
  if (owner === undefined) return;
  throw new ConfigurationError(
    `Servers run from ${dataDir} already, by process ${owner.pid}. Stop that one first: the demo begins with an empty folder.`,
  );
}

async function runImport(stack: Stack, imports: Imports, pool: pg.Pool, voice: Voice): Promise<boolean> {
  const { say } = voice;
  const { sandbox } = stack;
  const organisation = sandbox?.organisations[0];
  if (!sandbox || !organisation) throw new Error('The demo needs the sandbox.');
  await connectSandbox(pool, stack, { name: 'demo', applications: ['planning'] });
  say(`Connected "${organisation.name}" as "demo" by OAuth, for the application "planning".`);
  const worker = stack.startWorker();
  const { workflowId } = await imports.startJournals({ connection: 'demo', application: 'planning' });
  say(`Started the workflow ${workflowId}. See it live: ${stack.uiUrl}/namespaces/default/workflows/${workflowId}\n`);

  const killed = killOnTheWay(imports, workflowId, worker, say);
  const ending = await voice.during(organisation.books.count, (display) => follow(imports, workflowId, display));
  if (!ending.ok) throw new Error(`The import failed: ${ending.message}`);
  const killedPid = await killed;

  const { totals } = ending.result;
  const stored = await summariseLedger(pool, organisation.tenantId);
  const wrong = differences(stored, organisation);
  const early = sandbox.calls.early().length;
  say(`\n${verdict(organisation, stored, wrong)}`);
  say(
    `  calls made               ${totals.calls}: ${totals.pages} pages of journals, one empty one, and the reference data; refused by Xero: ${sandbox.calls.all().filter((call) => call.status === 429).length}; before the time it named: ${early}`,
  );
  say(`  workers killed           1 (process ${killedPid}, kill -9)`);
  return wrong.length === 0 && early === 0 && totals.quarantined === 0;
}

/** Kills the worker, without warning, once some pages are stored; it is started again by itself. */
async function killOnTheWay(
  imports: Imports,
  workflowId: string,
  worker: WorkerProcess,
  say: (line: string) => void,
): Promise<number> {
  for (;;) {
    const progress = await imports.progress(workflowId).catch(() => null);
    const pid = worker.pid();
    if (pid !== undefined && (progress?.totals.pages ?? 0) >= pagesBeforeTheKill) {
      say(`kill -9 ${pid}: the worker is gone, in the middle of a page. Temporal gives its work to the next one.`);
      process.kill(pid, 'SIGKILL');
      return pid;
    }
    await sleep(50);
  }
}

function verdict({ name, books }: Organisation, stored: LedgerSummary, wrong: string[]): string {
  return [
    `${wrong.length === 0 ? 'Everything arrived' : 'SOMETHING IS WRONG'}: the general ledger of ${name}.`,
    `  journals stored          ${stored.count} of ${books.count} in the books`,
    `  debits = credits         ${plain(stored.debits)} = ${plain(stored.credits)}`,
    `  duplicates               ${stored.duplicates}`,
    `  sums of each account     ${wrong.length === 0 ? 'equal to the books, to the last digit' : wrong.join('; ')}`,
  ].join('\n');
}

function whereToLook({ databaseUrl, uiUrl }: Stack, staying: boolean, dataDir: string): string {
  const start = staying
    ? '  Ctrl-C stops it all.'
    : `  First start it again:    DAYBOOK_DATA_DIR=${dataDir} npx daybook up`;
  return `
Where to look
${start}
  Temporal UI              ${uiUrl}
  Postgres                 psql "${databaseUrl}" -c 'select * from xero.journal_line limit 10'`;
}

/** The demo is the same on every machine: no configuration of the user's reaches it, nor its worker. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(XERO_|TEMPORAL_|DATABASE_URL|DAYBOOK_)/.test(name)),
  );
}
