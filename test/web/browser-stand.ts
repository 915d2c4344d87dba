import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/server.ts';
import { openBrowser, type TestBrowser } from '../support/chromium.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { freePort } from '../support/free-port.ts';
import { type Places, watchPostgres } from '../support/leaks.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';

/** The connect page as `daybook web` serves it, a sandbox with two organisations in place of Xero, and a browser. */
export interface BrowserStand {
  database: TestDatabase;
  sandbox: Sandbox;
  /** The process that serves the page. */
  web: TestProcess;
  environment: Record<string, string>;
  /** The link it printed. */
  link: string;
  origin: string;
  browser: TestBrowser;
  page: Page;
  /** What the browser complained of: what the page's policy forbids, what is not there. */
  complaints: string[];
  /** The addresses that Xero sent the browser back to. */
  callbacks: string[];
  /** What the page has answered, heads and bodies, but for the session's cookie. */
  answers(): Promise<Places>;
  /** What Postgres has written into its log. */
  postgresLog(): Places;
  /** As a person at Xero's page: ticks these organisations and no others, and allows it. */
  consentTo(...organisations: string[]): Promise<void>;
  /**
   * Fails on anything in the page that assistive technology would stumble over (labels, headings, contrast …), in light and in
   * dark. With DAYBOOK_SCREENSHOTS=folder it also takes a picture.
   */
  look(picture: string): Promise<void>;
  close(): Promise<void>;
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function startBrowserStand(): Promise<BrowserStand> {
  const organisations = [{ name: 'Maple & Finch Ltd' }, { name: 'Harbour Lane Coffee' }];
  const [database, sandbox, port] = await Promise.all([
    createTestDatabase(),
    startSandbox({ organisations, journals: 5 }),
    freePort(),
  ]);
  const environment = {
    DATABASE_URL: database.url,
    DAYBOOK_TOKEN_KEYS: `k1:${Buffer.alloc(32, 3).toString('base64')}`,
    DAYBOOK_WEB_PORT: `${port}`,
    XERO_CLIENT_ID: sandbox.clientId,
    XERO_CLIENT_SECRET: sandbox.clientSecret,
    XERO_API_URL: sandbox.url,
    XERO_IDENTITY_URL: sandbox.url,
    XERO_LOGIN_URL: sandbox.url,
  };
  const postgresLog = await watchPostgres({ database });
  const web = runProcess('bin/daybook.mjs', { args: ['web'], env: environment });
  const [browser, said] = await Promise.all([openBrowser(), web.line(/^The connect page: /, 60_000)]);
  const link = said.replace('The connect page: ', '');
  const { origin } = new URL(link);
  const page = await browser.open();
  const complaints: string[] = [];
  const callbacks: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (request.url().startsWith(`${origin}/oauth/callback`)) callbacks.push(request.url());
  });
  const answered: Promise<[string, string]>[] = [];
  page.on('response', (response) => {
    if (!response.url().startsWith(origin)) return;
    const { 'set-cookie': _itsOwn, ...head } = response.headers();
    // A redirect has no body.
    const body = response.text().catch(() => '');
    answered.push(body.then((text) => [`answer of ${response.url()}`, `${JSON.stringify(head)}\n${text}`]));
  });
  return {
    database,
    sandbox,
    web,
    environment,
    link,
    origin,
    browser,
    page,
    complaints,
    callbacks,
    answers: async () =>
      Object.fromEntries((await Promise.all(answered)).map(([place, text], n) => [`${n} ${place}`, text])),
    postgresLog,
    async consentTo(...names) {
      await page.getByText('wants access to your organisation').waitFor();
      for (const { name } of sandbox.organisations) await page.getByLabel(name).setChecked(names.includes(name));
      await page.getByRole('button', { name: 'Allow access' }).click();
    },
    async look(picture) {
      for (const colorScheme of ['dark', 'light'] as const) {
        await page.emulateMedia({ colorScheme });
        const faults = await page.evaluate(
          `${axe}; axe.run().then(({ violations }) => violations.map(
             ({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
        );
        expect({ picture, colorScheme, faults }).toEqual({ picture, colorScheme, faults: [] });
      }
      const folder = process.env.DAYBOOK_SCREENSHOTS;
      if (!folder) return;
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: join(folder, `${picture}.png`), fullPage: true });
    },
    async close() {
      await browser.close();
      await web.end('SIGTERM');
      await sandbox.close();
      await database.drop();
    },
  };
}
