import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import type pg from 'pg';
import { type Connected, connectOrganisation, type NamedOrganisation } from '../admin/connect.ts';
import { connectCustom, isCustom } from '../admin/custom-connection.ts';
import { entitlementsOf, lackingOf } from '../admin/entitlements.ts';
import type { AdminPlace } from '../admin/place.ts';
import { connectWithoutConsent } from '../admin/standing-consent.ts';
import { ConfigurationError } from '../config/config.ts';
import { someNamed } from '../model/some-named.ts';
import type { Uncovered } from '../storage/coverage.ts';
import { workflowsAwaitingReconnect } from '../storage/waiting-workflows.ts';
import { operator, withAdminPlace } from './admin-place.ts';
import { answerOfConsent } from './consent-answer.ts';
import { receiveThroughPage } from './handover.ts';
import { print, tell } from './output.ts';
import { tellWaiting } from './resume.ts';
import { connectCommand } from './run-words.ts';
import type { Stack } from './stack.ts';

interface ConnectOptions {
  name: string;
  application: string[];
  tenant?: string;
  browser: boolean;
  consent?: boolean;
  custom?: boolean;
  json?: boolean;
}

export function addConnectCommand(program: Command): void {
  program
    .command('connect')
    .description('connect an organisation of Xero, name the connection, and say which applications may use it')
    .requiredOption('--name <name>', 'name of the connection, such as acme-au')
    .requiredOption('--application <name>', 'an application that may use it; may be given several times', collect)
    .option('--tenant <id>', 'which organisation, when the consent covers several')
    .option('--no-browser', 'only print the address of the consent page')
    .option('--consent', 'let the local sandbox consent by itself')
    .option('--custom', 'a custom connection: the Xero app speaks for its one organisation, without a consent')
    .option('--json', 'print one line of JSON')
    .action(connect);
}

async function connect(options: ConnectOptions): Promise<void> {
  const wanted = { name: options.name, applications: options.application, tenantId: options.tenant };
  const { connected, waiting, entitlements } = await withAdminPlace(async (at) => {
    const connected =
      (options.custom ?? (await isCustom(at, options.name)))
        ? await connectCustom(at, wanted)
        : ((options.consent ? null : await connectWithoutConsent(at, wanted)) ??
          (await connectOrganisation(at, wanted, (address) =>
            options.consent
              ? consentAtSandbox(at.xero.loginUrl, address, options.tenant)
              : askPerson(at, address, options),
          )));
    const waiting = await workflowsAwaitingReconnect(at.pool, connected.authorisationId);
    return { connected, waiting, entitlements: await entitlementsOf(at, connected) };
  });
  print(
    options.json,
    { ...connected, entitlements: entitlements ?? [] },
    `Connected "${connected.tenantName}" as "${connected.name}", for ${connected.applications.join(', ')}.`,
  );
  const notes = [
    ...alsoCalled(connected),
    ...connected.uncovered.map(notCovered),
    ...lackingOf(connected, entitlements),
  ];
  for (const note of notes) tell(`Note: ${note}`);
  await tellWaiting(waiting);
}

/** Of more names than these the rest is counted. */
const mostNamed = 3;

function alsoCalled({ name, otherNames }: Connected): string[] {
  if (otherNames.length === 0) return [];
  return [
    `"${name}" is the same organisation as ${someNamed(otherNames, mostNamed)}: what is imported through either, and Xero’s limits, are of both.`,
  ];
}

function notCovered({ name, tenantName, applications: [application = 'NAME'] }: Uncovered): string {
  const command = connectCommand({ connectionName: name, application });
  return `This consent does not cover "${name}" (${tenantName}), which needs one of its own: \`${command}\`.`;
}

function askPerson(at: AdminPlace, consentAddress: string, { browser, json }: ConnectOptions): Promise<string> {
  const out = json ? process.stderr : process.stdout;
  const say = (line: string) => void out.write(`${line}\n`);
  const invite = () => {
    say(`Open this address in a browser and allow the connection:\n${consentAddress}`);
    if (browser) openInBrowser(consentAddress);
  };
  const elsewhere = (state: string, take: (answer: string | Error) => void) => receiveThroughPage(at, state, take);
  return answerOfConsent({ redirectUri: at.xero.redirectUri, consentAddress, elsewhere, invite, say });
}

function openInBrowser(address: string): void {
  const [command, ...args] = { darwin: ['open'], win32: ['explorer'] }[process.platform as string] ?? ['xdg-open'];
  if (!command) return;
  // Without a browser the printed address is all that is needed.
  spawn(command, [...args, address], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}

/** The sandbox's own way to press "Allow"; answers where it would have sent the browser. */
async function consentAtSandbox(loginUrl: string, address: string, tenantId: string | undefined): Promise<string> {
  const response = await fetch(`${loginUrl}/sandbox/consent`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ authorizeUrl: address, ...(tenantId ? { tenantIds: [tenantId] } : {}) }),
  });
  const answer = (await response.json().catch(() => ({}))) as { redirect?: string; error?: unknown };
  if (response.status === 400 && typeof answer.error === 'string')
    throw new ConfigurationError(`The sandbox at ${loginUrl} does not consent: ${answer.error}`);
  if (!answer.redirect)
    throw new ConfigurationError(`${loginUrl} is no sandbox that consents by itself; leave --consent out.`);
  return answer.redirect;
}

/** Connects the sandbox's first organisation without a browser, and tries what it can be used for, as for any other. */
export async function connectSandbox(pool: pg.Pool, stack: Stack, wanted: NamedOrganisation): Promise<Connected> {
  const { xero, tokenKeys, sandbox } = stack;
  const tenantId = sandbox?.organisations[0]?.tenantId;
  if (!sandbox || tenantId === undefined)
    throw new ConfigurationError('There is no sandbox: a Xero app is configured.');
  const place = { pool, xero, tokenKeys, actor: operator(), now: () => Date.now() };
  const connected = await connectOrganisation(place, { ...wanted, tenantId }, async (address) =>
    sandbox.consent(address, { tenantIds: [tenantId] }),
  );
  await entitlementsOf(place, connected);
  return connected;
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
