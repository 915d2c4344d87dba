import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

const usualNames = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const usualPlaces = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** The Chromium of this machine: what CHROMIUM_PATH names, or else one by its usual names. Null where there is none. */
function findChromium(): string | null {
  const { CHROMIUM_PATH, PATH = '' } = process.env;
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  const onPath = PATH.split(delimiter).flatMap((folder) => usualNames.map((name) => join(folder, name)));
  return [...onPath, ...usualPlaces].find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Why the browser tests are left out, or null when they run. With DAYBOOK_BROWSER_TESTS=required, as `.ci/run` sets it, they
 * are never left out: without a Chromium they fail.
 */
export function whyNoBrowser(): string | null {
  if (findChromium() !== null || process.env.DAYBOOK_BROWSER_TESTS === 'required') return null;
  return 'The browser tests are LEFT OUT: there is no Chromium here. Install one (apt-get install chromium), or set CHROMIUM_PATH.';
}

/** A browser that has seen nothing yet; each page that is opened has a profile of its own, as another person's has. */
export interface TestBrowser {
  open(): Promise<Page>;
  close(): Promise<void>;
}

export async function openBrowser(): Promise<TestBrowser> {
  const executablePath = findChromium();
  if (executablePath === null) {
    throw new Error('There is no Chromium, and DAYBOOK_BROWSER_TESTS=required. Install one, or set CHROMIUM_PATH.');
  }
  // Playwright gives it a fresh folder for its data, and removes it afterwards.
  const browser = await chromium.launch({
    executablePath,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
  return {
    async open() {
      const context = await browser.newContext({ viewport: { width: 920, height: 640 }, locale: 'en-GB' });
      context.setDefaultTimeout(15_000);
      return context.newPage();
    },
    close: () => browser.close(),
  };
}
