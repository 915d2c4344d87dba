import { join } from 'node:path';
import type { Command } from 'commander';
import { type Config, ConfigurationError, loadConfig } from '../config/config.ts';
import { makeDataFolder } from '../embedded/data-folder.ts';
import { takeLock } from '../embedded/lock.ts';
import { mostCallsADay } from '../model/request.ts';
import { findConnection } from '../storage/connections.ts';
import { openPool } from '../storage/pool.ts';
import { checkSeals } from '../xero/check-seals.ts';
import { createKeyRing } from '../xero/sealing.ts';
import { connectSandbox } from './connect.ts';
import { reach, upLock } from './environment.ts';
import { wholeNumber } from './number-option.ts';
import { visible } from './output.ts';
import { refuseOtherBooks, standInOrganisations } from './sandbox-file.ts';
import type { Stack } from './stack.ts';
import { leaveWhenStopped, untilStopped } from './until-stopped.ts';
import { openPage, portTaken } from './web.ts';

const demoConnection = { name: 'demo', applications: ['planning'] };

/** Books of more take minutes to make. */
const mostJournals = 1_000_000;
const longestDaySeconds = 1_000_000;

export function addUpCommand(program: Command): void {
  program
    .command('up')
    .description('start whatever is not configured, and a worker, and stay')
    .option(
      '--journals <count>',
      'how many journals the sandbox’s books hold, when it stands in for Xero; 4000, or as the data folder has them',
      wholeNumber(0, mostJournals),
    )
    .option('--day-limit <calls>', 'the sandbox’s daily limit', wholeNumber(0, mostCallsADay), 5_000)
    .option(
      '--day-window-seconds <seconds>',
      'how long a day lasts in the sandbox',
      wholeNumber(1, longestDaySeconds),
      86_400,
    )
    .action(up);
}

interface UpOptions {
  journals?: number;
  dayLimit: number;
  dayWindowSeconds: number;
}

async function up(options: UpOptions): Promise<void> {
  // To be stopped is how it ends, whenever.
  leaveWhenStopped(0);
  // What the worker logs would stand between our lines, so only trouble is told, unless more is asked for.
  const config = loadConfig({ DAYBOOK_LOG_LEVEL: 'warn', ...process.env });
  const found = reach(config);
  makeDataFolder(config.dataDir);
  // Before the folder is taken, as keys that are younger than its lock are taken for such as this `up` does not have.
  found.tokenKeys();
  // The worker would be the first to find it wrong, again and again.
  if (config.temporalConfigured) found.temporal();
  if (config.xero === null && options.journals !== undefined) refuseOtherBooks(config.dataDir, options.journals);
  // However this ends: told to stop while it waits for Postgres, it goes at once.
  process.once('exit', takeFolder(config.dataDir));
  await stayUp(config, options);
}

async function stayUp(config: Config, options: UpOptions): Promise<void> {
  const say = (line: string) => process.stdout.write(`${visible(line)}\n`);
  say(`Starting ${whatStarts(config)} …`);
  // Loaded here: a worker, which is the same program, does without the servers and the sandbox.
  const { startStack } = await import('./stack.ts');
  const page = await openPage(config);
  const { redirectUri } = page ?? config;
  try {
    const stack = await startStack({
      config: { ...config, redirectUri, xero: config.xero && { ...config.xero, redirectUri } },
      environment: process.env,
      sandbox: {
        organisations: standInOrganisations,
        ...(options.journals === undefined ? {} : { journals: options.journals }),
        limits: { day: options.dayLimit, dayWindowSeconds: options.dayWindowSeconds },
      },
      binDir: join(config.dataDir, 'bin'),
      say,
    });
    try {
      if (stack.sandbox) await connectDemo(stack, say);
      await page?.serve(stack);
      say(introduction(stack, config.taskQueue, page ? await page.link() : null));
      for (const problem of await sealProblems(stack)) say(`Warning: ${problem}`);
      if (page === null) say(portTaken(config));
      stack.startWorker();
      await untilStopped();
      say('Stopping: the pages in flight are finished first.');
    } finally {
      // The page first, as it needs the database.
      await page?.close();
      await stack.stop();
    }
  } catch (error) {
    await page?.close();
    throw error;
  }
}

/** Said at once, as the first of these take some seconds. */
function whatStarts({ databaseUrl, temporalConfigured, xero }: Config): string {
  return [
    ...(databaseUrl === null ? ['Postgres'] : []),
    ...(temporalConfigured ? [] : ['Temporal']),
    ...(xero === null ? ['a sandbox in place of Xero'] : []),
    'a worker and the connect page',
  ].join(', ');
}

/** One `up` a data folder: a second one would stand in the way of the first one's sandbox and worker. */
function takeFolder(dataDir: string): () => void {
  const lock = takeLock(upLock(dataDir));
  if (lock.held) return lock.release;
  throw new ConfigurationError(
    `\`daybook up\` runs in ${dataDir} already, as process ${lock.owner.pid}. Stop that one first, or name another folder in DAYBOOK_DATA_DIR.`,
  );
}

/** The sandbox's first organisation is connected as "demo", so that there is something to import at once. */
async function connectDemo(stack: Stack, say: (line: string) => void): Promise<void> {
  const pool = openPool(stack.databaseUrl, 2, () => {});
  try {
    if ((await findConnection(pool, demoConnection.name)) !== null) return;
    const connected = await connectSandbox(pool, stack, demoConnection);
    say(`Connected the sandbox’s organisation "${connected.tenantName}" as "demo", for the application "planning".`);
  } finally {
    await pool.end();
  }
}

/** Why stored tokens do not open with these keys; imports would wait for them, and only the worker's log would say why. */
async function sealProblems({ databaseUrl, tokenKeys }: Stack): Promise<string[]> {
  const pool = openPool(databaseUrl, 1, () => {});
  try {
    return (await checkSeals(pool, createKeyRing(tokenKeys))).problems;
  } finally {
    await pool.end();
  }
}

function introduction(
  { databaseUrl, embeddedPostgres, uiUrl, temporalAddress, sandbox, xero }: Stack,
  taskQueue: string,
  link: string | null,
): string {
  // Elsewhere than where the temporal command looks by itself, unless the user's own configuration says otherwise.
  const isElsewhere = uiUrl !== null && !temporalAddress.endsWith(':7233');
  const lines = [
    '',
    'Daybook is up.',
    `  Xero         ${sandbox ? `${sandbox.url} (the local sandbox)` : xero.apiUrl}`,
    `  Temporal     ${temporalAddress}${uiUrl ? `, UI ${uiUrl}` : ''}`,
    ...(isElsewhere ? [`               (to the temporal command give --address ${temporalAddress})`] : []),
    // A configured address may hold a password that is not ours to print; the embedded one is this machine's alone.
    `  Postgres     ${embeddedPostgres ? `psql "${databaseUrl}"` : new URL(databaseUrl).host}`,
    ...(link === null
      ? []
      : [
          `  Connect page ${link}`,
          '               (opens once, within ten minutes; for another: npx daybook web-link)',
        ]),
    '',
    sandbox
      ? '  Try          npx daybook import journals --connection demo --application planning --follow'
      : '  Connect      npx daybook connect --name acme --application planning',
    // Another server at the usual port would take it without a word.
    ...(isElsewhere && sandbox ? [`  Or           ${firstPages(temporalAddress, taskQueue)}`] : []),
    '  Stop         Ctrl-C',
  ];
  return lines.join('\n');
}

/** The README's own command, with the address of this server. */
function firstPages(address: string, taskQueue: string): string {
  const input = JSON.stringify({
    connection: demoConnection.name,
    application: demoConnection.applications[0],
    startingAtJournalId: 101,
    endingAtJournalId: 250,
  });
  return `temporal workflow start --address ${address} --type importJournals --task-queue ${taskQueue} --workflow-id first-pages --input '${input}'`;
}
