import type { Command } from 'commander';
import type pg from 'pg';
import { requireGoodNames } from '../admin/names.ts';
import { ConfigurationError, loadConfig } from '../config/config.ts';
import {
  accessFaults,
  addApplication,
  listApplications,
  removeApplication,
  rotateApplication,
} from '../storage/applications.ts';
import { operator } from './admin-place.ts';
import { drawPassword, scramVerifier } from './application-password.ts';
import { reach } from './environment.ts';
import { tellSchedulesLeft } from './left-schedules.ts';
import { print, printTable, tell } from './output.ts';
import { withDatabase } from './servers.ts';

interface Printed {
  json?: boolean;
}

/** The logins by which applications read what was imported for them. */
export function addApplicationCommands(program: Command): void {
  const applications = program
    .command('applications')
    .description('give applications a login in Postgres that reads their connections, and nothing else');

  applications
    .command('add <name>')
    .description('make its login; prints the password, once')
    .option('--json', 'print one line of JSON')
    .action((name: string, { json }: Printed) =>
      withDatabase(async (pool) => {
        requireGoodNames({ applications: [name] });
        const { password, role } = await giveLogin(pool, name, addApplication);
        if (role === null)
          throw new ConfigurationError(
            `"${name}" has a login already. \`daybook applications rotate "${name}"\` gives it a new password.`,
          );
        await tellLogin(pool, json, { name, role, password });
      }),
    );

  applications
    .command('list')
    .description('show all applications, and what each may read')
    .option('--json', 'print JSON')
    .action(({ json }: Printed) =>
      withDatabase(async (pool) => {
        const all = await listApplications(pool);
        if (json) print(true, all, '');
        else {
          printTable(
            ['name', 'login', 'connections'],
            all.map(({ name, role, connections }) => [name, role ?? 'none', connections.join(', ') || 'none']),
          );
        }
        await warnOfFaults(pool);
      }),
    );

  applications
    .command('rotate <name>')
    .description('give it a new password and end the sessions of the old one')
    .option('--json', 'print one line of JSON')
    .action((name: string, { json }: Printed) =>
      withDatabase(async (pool) => {
        const { password, role } = await giveLogin(pool, name, rotateApplication);
        if (role === null) throw noLogin(name);
        await tellLogin(pool, json, { name, role, password });
      }),
    );

  applications
    .command('remove <name>')
    .description('take it off every connection and drop its login; its running imports stop at their next page')
    .action((name: string) =>
      withDatabase(async (pool) => {
        const removed = await removeApplication(pool, { name, actor: operator() });
        if (removed === null) throw noLogin(name);
        const taken = removed.connections.map((connection) => `"${connection}"`).join(', ');
        print(false, null, `"${name}" is removed${taken ? `, and taken off ${taken}` : ''}. What it imported stays.`);
        await tellSchedulesLeft({ applications: [name] });
      }),
    );
}

async function giveLogin(pool: pg.Pool, name: string, act: typeof addApplication) {
  const password = drawPassword();
  const role = await act(pool, { name, actor: operator(), verifier: scramVerifier(password) });
  return { password, role };
}

function noLogin(name: string): ConfigurationError {
  return new ConfigurationError(
    `There is no application "${name}" with a login; \`daybook applications list\` shows those there are.`,
  );
}

/** The one time that the password is shown: it is kept nowhere. */
async function tellLogin(
  pool: pg.Pool,
  json: boolean | undefined,
  login: { name: string; role: string; password: string },
): Promise<void> {
  const url = new URL(reach(loadConfig(process.env)).databaseUrl());
  url.username = login.role;
  url.password = login.password;
  const found = (await listApplications(pool)).find(({ name }) => name === login.name);
  const connections = found?.connections ?? [];
  print(
    json,
    { ...login, url: url.href, connections },
    `"${login.name}" reads ${connections.join(', ') || `nothing yet: \`daybook connections allow NAME --application "${login.name}"\``}.\n` +
      `The password is shown this once, and kept nowhere:\n  psql "${url.href}"`,
  );
  await warnOfFaults(pool);
}

async function warnOfFaults(pool: pg.Pool): Promise<void> {
  const faults = await accessFaults(pool);
  if (faults.length === 0) return;
  tell(`Applications may reach more, or less, than their connections:\n${faults.join('\n')}`);
}
