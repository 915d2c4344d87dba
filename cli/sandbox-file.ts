import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '../config/config.ts';
import { variables } from '../config/variables.ts';
import type { XeroApp } from '../model/xero-app.ts';
import { loadState } from '../sandbox/identity/state.ts';
import { counted } from './counted.ts';

/** What `daybook up` writes down of its sandbox, so that other commands find it. */
interface SandboxFile {
  pid: number;
  url: string;
  clientId: string;
  clientSecret: string;
}

const file = (dataDir: string) => join(dataDir, 'sandbox.json');

export function publishSandbox(dataDir: string, sandbox: Omit<SandboxFile, 'pid'>): void {
  writeFileSync(file(dataDir), JSON.stringify({ pid: process.pid, ...sandbox }), { mode: 0o600 });
}

export function withdrawSandbox(dataDir: string): void {
  rmSync(file(dataDir), { force: true });
}

/**
 * The organisations of the sandbox that stands in for Xero, in `up` as in the demo, which one goes on from the other. Without gaps
 * the first one's Journal IDs are easy to follow by eye; Xero's own have some.
 */
export const standInOrganisations = [{ contiguous: true }, {}];

/** Where a data folder's sandbox keeps what a restart must not change. */
export const sandboxStateFile = (dataDir: string) => join(dataDir, 'sandbox-state.json');

/**
 * Refuses another number of journals than the folder's sandbox was begun with: the books are made by it, so what was
 * imported would be of other ones.
 */
export function refuseOtherBooks(dataDir: string, journals: number): void {
  const { booksJournals = journals } = loadState(sandboxStateFile(dataDir));
  if (booksJournals === journals) return;
  throw new ConfigurationError(
    `The sandbox in ${dataDir} was begun with ${counted(booksJournals, 'journals')}, and what was imported is of those books; --journals ${journals} would make others. ` +
      'Leave --journals out to go on with them, or name another folder in DAYBOOK_DATA_DIR.',
  );
}

/** The settings of the sandbox that runs in this data folder now, or null. */
export function runningSandbox(dataDir: string, redirectUri: string): XeroApp | null {
  try {
    const sandbox = JSON.parse(readFileSync(file(dataDir), 'utf8')) as SandboxFile;
    process.kill(sandbox.pid, 0);
    return sandboxSettings(sandbox, redirectUri);
  } catch {
    return null;
  }
}

/** How to speak to a sandbox instead of Xero. */
export function sandboxSettings(
  { url, clientId, clientSecret }: Omit<SandboxFile, 'pid'>,
  redirectUri: string = variables.XERO_REDIRECT_URI.default,
): XeroApp {
  return {
    clientId,
    clientSecret,
    redirectUri,
    scopes: variables.XERO_SCOPES.default.split(' '),
    apiUrl: url,
    identityUrl: url,
    loginUrl: url,
  };
}
