import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import type { Command } from 'commander';
import type pg from 'pg';
import { type Config, ConfigurationError, loadConfig } from '../config/config.ts';
import { createLogger } from '../config/logging.ts';
import { makeDataFolder } from '../embedded/data-folder.ts';
import type { XeroApp } from '../model/xero-app.ts';
import { requireCurrent } from '../storage/migrate.ts';
import { openPool } from '../storage/pool.ts';
import { storeLink } from '../storage/web-sessions.ts';
import { listen } from '../web/listen.ts';
import { hashOf, newSecret } from '../web/secrets.ts';
import { untilPostgresTakesWrites } from '../worker/wait-for-servers.ts';
import { operator } from './admin-place.ts';
import { reach } from './environment.ts';
import { schedulesLeft } from './left-schedules.ts';
import { print, tell } from './output.ts';
import { resumeWaiting } from './resume.ts';
import { withDatabase } from './servers.ts';
import { untilStopped } from './until-stopped.ts';

export function addWebCommands(program: Command): void {
  program
    .command('web')
    .description('serve the connect page, for servers of your own; `daybook up` does so too')
    .action(web);
  program
    .command('web-link')
    .description('print a link that opens the connect page, once')
    .option('--json', 'print one line of JSON')
    .action(({ json }: { json?: boolean }) =>
      withDatabase(async (pool) => {
        const link = await newLink(pool, publishedOrigin(loadConfig(process.env).dataDir));
        print(json, { link }, link);
      }),
    );
}

async function web(): Promise<void> {
  const config = loadConfig({ DAYBOOK_LOG_LEVEL: 'warn', ...process.env });
  const found = reach(config);
  const page = await openPage(config);
  if (page === null) throw new ConfigurationError(portTaken(config));
  try {
    const [databaseUrl, tokenKeys] = [found.databaseUrl(), found.tokenKeys()];
    const xero = { ...found.xero(), redirectUri: page.redirectUri };
    await untilUsable(config, databaseUrl);
    await page.serve({ databaseUrl, tokenKeys, xero });
    const link = await page.link();
    // Who reads the line may stop it at once.
    const stopped = untilStopped();
    process.stdout.write(`The connect page: ${link}\n`);
    await stopped;
  } finally {
    await page.close();
  }
}

/** One that is configured is waited for; that of a `daybook up` is there, or else that has to be started again. */
async function untilUsable(config: Config, databaseUrl: string): Promise<void> {
  if (config.databaseUrl === null) return requireCurrent(databaseUrl, reach(config).remedies.postgres);
  await untilPostgresTakesWrites(databaseUrl, { who: 'The connect page', say: tell });
}

/** The connect page's port, open; until it serves, it answers that it is starting. */
export interface OpenedPage {
  origin: string;
  /** As configured, or at the port that was free. */
  redirectUri: string;
  serve(on: { databaseUrl: string; tokenKeys: string; xero: XeroApp }): Promise<void>;
  /** A link that opens the page once. */
  link(): Promise<string>;
  close(): Promise<void>;
}

/**
 * Opens the connect page's port. Null when it is taken; with the sandbox, which sends browsers to any port of this machine,
 * a free one is taken instead, unless this one was asked for.
 */
export async function openPage(config: Config): Promise<OpenedPage | null> {
  const { host, port, isPortChosen } = config.web;
  let answer: RequestListener = (_, response) =>
    response.writeHead(503, { 'retry-after': '1' }).end('Daybook is starting.');
  const onRequest: RequestListener = (request, response) => answer(request, response);
  const anyPort = config.xero === null && !isPortChosen && follows(config);
  const listening = (await listen(host, port, onRequest)) ?? (anyPort ? await listen(host, 0, onRequest) : null);
  if (listening === null) return null;
  const redirectUri = follows(config) ? `http://localhost:${listening.port}/oauth/callback` : config.redirectUri;
  const origin = config.web.origin ?? ownOrigin(redirectUri, listening.port);
  const log = createLogger(config.logLevel);
  let pool: pg.Pool | undefined;
  let finished = async () => {};
  return {
    origin,
    redirectUri,
    async serve({ databaseUrl, tokenKeys, xero }) {
      // Loaded here: the other commands start faster without it.
      const { answering } = await import('../web/serve.ts');
      pool = openPool(databaseUrl, 5, () => {});
      const { password } = config.web;
      const onError = (error: Error) =>
        log.error({ reason: error.message, stack: error.stack }, 'the connect page failed');
      const now = () => Date.now();
      const place = { pool, xero, tokenKeys, now, origin, password, resumeWaiting, schedulesLeft, onError };
      const serving = answering(place);
      ({ onRequest: answer, finished } = serving);
      publishOrigin(config.dataDir, origin);
    },
    async link() {
      if (pool === undefined) throw new Error('The page has no database yet.');
      return newLink(pool, origin);
    },
    async close() {
      const ending = pool;
      pool = undefined;
      if (ending !== undefined) withdrawOrigin(config.dataDir);
      await listening.close();
      // A token that Xero has just given is to be stored, whoever asked for it.
      await finished();
      await ending?.end();
    },
  };
}

export function portTaken({ web: { port }, xero }: Config): string {
  const register = xero === null ? '' : ' and register the address in the Xero app';
  return `Port ${port} is taken, so the connect page cannot be served there. Free it, or set DAYBOOK_WEB_PORT to another${register}.`;
}

/** Whether the redirect URI is nothing but the page's own at its port. */
function follows({ redirectUri, web: { port, origin } }: Config): boolean {
  return origin === null && redirectUri === `http://localhost:${port}/oauth/callback`;
}

/** The name of this machine under which the callback comes in; the cookie belongs to it. */
function ownOrigin(redirectUri: string, port: number): string {
  const { origin, protocol, port: itsPort } = new URL(redirectUri);
  return protocol === 'http:' && Number(itsPort || 80) === port ? origin : `http://localhost:${port}`;
}

async function newLink(pool: pg.Pool, origin: string): Promise<string> {
  const secret = newSecret();
  await storeLink(pool, hashOf(secret), operator());
  return `${origin}/enter/${secret}`;
}

const file = (dataDir: string) => join(dataDir, 'web.json');

function publishOrigin(dataDir: string, origin: string): void {
  makeDataFolder(dataDir);
  writeFileSync(file(dataDir), JSON.stringify({ pid: process.pid, origin }), { mode: 0o600 });
}

function withdrawOrigin(dataDir: string): void {
  rmSync(file(dataDir), { force: true });
}

function publishedOrigin(dataDir: string): string {
  try {
    const { pid, origin } = JSON.parse(readFileSync(file(dataDir), 'utf8')) as { pid: number; origin: string };
    process.kill(pid, 0);
    return origin;
  } catch {
    throw new ConfigurationError(
      'No connect page is served from this data folder. Start `npx daybook up` (or `npx daybook web`) in another terminal.',
    );
  }
}
