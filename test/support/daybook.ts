import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { provided } from './provided.ts';

export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

const command = resolve(import.meta.dirname, '../../bin/daybook.mjs');

/**
 * Runs one `daybook` command to its end, as a user would in a checkout. The environment is the given one plus PATH and
 * HOME only, so that nothing of the developer's own set-up decides a test.
 */
export function daybook(args: readonly string[], env: Record<string, string>): Promise<Said> {
  return run(process.execPath, [command, ...args], env);
}

/** Runs the real `temporal` command, the one the stand's own server was started with. */
export function temporalCommand(args: readonly string[]): Promise<Said> {
  return run(provided('temporalExecutable'), args, {});
}

function run(file: string, args: readonly string[], env: Record<string, string>): Promise<Said> {
  const options = { env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env }, timeout: 120_000 };
  return new Promise((done) => {
    execFile(file, args, options, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** Does what the admin's browser does at a consent: opens the page, ticks organisations, presses a button, is sent back. */
export async function consentInBrowser(address: string, press: 'allow' | 'cancel', tenantId?: string): Promise<string> {
  const page = await fetch(address);
  const html = await page.text();
  if (page.status !== 200) throw new Error(`The consent page answered ${page.status}: ${html}`);
  const action = /<form method="post" action="([^"]+)"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
  const ticked = tenantId ?? /name="tenant" value="([^"]+)" checked/.exec(html)?.[1];
  if (action === undefined || ticked === undefined) throw new Error(`The consent page has no form: ${html}`);
  const body = new URLSearchParams({ tenant: ticked, action: press });
  const answer = await fetch(new URL(action, address), { method: 'POST', body, redirect: 'manual' });
  const callback = await fetch(answer.headers.get('location') ?? '');
  return callback.text();
}
