import type { Command } from 'commander';
import type pg from 'pg';
import { changeAccess } from '../admin/applications.ts';
import { setQuotaReserve } from '../admin/quota-reserve.ts';
import { requireConnection } from '../admin/registry.ts';
import { RequestRefused } from '../client/refused.ts';
import { mostCallsADay } from '../model/request.ts';
import { shellWord } from '../model/shell-word.ts';
import { type Connection, listConnections } from '../storage/connections.ts';
import { knownApplications } from '../storage/overview.ts';
import { quotaStanding } from '../storage/quota.ts';
import { operator, withAdminPlace } from './admin-place.ts';
import { tellSchedulesLeft } from './left-schedules.ts';
import { wholeNumber } from './number-option.ts';
import { print, printTable, tell } from './output.ts';
import { tellWaiting } from './resume.ts';
import { withDatabase } from './servers.ts';
import { starvedInWords } from './starved-words.ts';

/** The registry of connections, for the admin. */
export function addConnectionCommands(program: Command): void {
  const connections = program.command('connections').description('see and change connections');

  connections
    .command('list')
    .description('show all connections')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) =>
      withDatabase(async (pool) => {
        const all = await listConnections(pool);
        if (json) return print(true, all, '');
        printTable(
          ['name', 'organisation', 'applications', 'status', 'imports', 'reserve', 'tenant'],
          all.map((each) => [
            each.name,
            each.tenantName,
            each.applications.join(', ') || 'none',
            inPlainWords[each.status],
            importable(each),
            each.quotaReserve,
            each.tenantId,
          ]),
        );
      }),
    );

  connections
    .command('show <name>')
    .description('show one connection')
    .option('--json', 'print JSON')
    .action((name: string, { json }: { json?: boolean }) =>
      withConnection(name, async (_, connection) => print(json, connection, inWords(connection))),
    );

  connections
    .command('allow <name>')
    .description('let an application use a connection')
    .requiredOption('--application <name>', 'which one')
    .action((name: string, { application }: { application: string }) =>
      withDatabase(async (pool) => {
        const known = await knownApplications(pool);
        await changeAccess({ pool, actor: operator() }, name, (present) => [...present, application]);
        print(false, null, `"${application}" may use "${name}" now.`);
        if (!known.includes(application)) tell(`Note: ${newName(application, name, known)}`);
      }),
    );

  connections
    .command('deny <name>')
    .description('take an application off a connection; its running imports stop at their next page')
    .requiredOption('--application <name>', 'which one')
    .action((name: string, { application }: { application: string }) =>
      withDatabase(async (pool) => {
        const { denied, waiting, stillReading } = await changeAccess({ pool, actor: operator() }, name, (present) =>
          present.filter((each) => each !== application),
        );
        print(
          false,
          null,
          denied.length > 0
            ? `"${application}" may not use "${name}" any more.`
            : `"${application}" was not on the list of "${name}".`,
        );
        for (const sentence of stillReading) tell(`Note: ${sentence}`);
        await tellWaiting(waiting);
        await tellSchedulesLeft({ connection: name, applications: denied });
      }),
    );

  connections
    .command('set <name>')
    .description('change how a connection is used')
    .requiredOption(
      '--quota-reserve <calls>',
      'how many of the day’s calls imports leave to others',
      wholeNumber(0, mostCallsADay),
    )
    .action((name: string, { quotaReserve }: { quotaReserve: number }) =>
      withDatabase(async (pool) => {
        const waiting = await setQuotaReserve({ pool, actor: operator() }, name, quotaReserve);
        print(false, null, `Imports through "${name}" leave ${quotaReserve} of each day's calls to others now.`);
        const { tenantId } = await requireConnection(pool, name);
        const { dayRemaining } = await quotaStanding(pool, tenantId);
        const starved = starvedInWords(quotaReserve, dayRemaining);
        if (starved !== null) tell(`Note: ${starved}`);
        await tellWaiting(waiting);
      }),
    );

  // It is asked for; and commander would take it for a slip of "remove".
  connections
    .command('rename [name] [to]')
    .description('tell how to give a connection another name: it keeps the one it has')
    .action((name = 'OLD', to = 'NEW') => {
      throw new RequestRefused([howToRename(name, to)]);
    });

  connections
    .command('remove <name>')
    .description('disconnect an organisation, at Xero too; what was imported stays')
    .option('--keep-at-xero', 'forget it here only')
    .action((name: string, { keepAtXero }: { keepAtXero?: boolean }) =>
      withAdminPlace(async (place) => {
        // Loaded here: with it comes all that asks Xero for tokens, of which the other commands need nothing.
        const { disconnect } = await import('../admin/disconnect.ts');
        const { message, waiting } = await disconnect(place, name, keepAtXero);
        print(false, null, message);
        await tellWaiting(waiting);
        await tellSchedulesLeft({ connection: name });
      }),
    );
}

/** It may be a slip, or the name that an application will have. */
function newName(application: string, connection: string, known: string[]): string {
  const others = known.length === 0 ? '' : ` Known are ${known.map((each) => `"${each}"`).join(', ')}.`;
  return `"${application}" is a new name: no connection listed it until now, and it has no login.${others} To take it back: \`daybook connections deny ${connection} --application ${shellWord(application)}\`.`;
}

function howToRename(name: string, to: string): string {
  const [old, renamed] = [shellWord(name), shellWord(to)];
  return `A connection keeps its name. Connect its organisation under the new one (\`daybook connect --name ${renamed} --application NAME\`), have its applications and Schedules use that, and then remove the old one (\`daybook connections remove ${old}\`). What was imported belongs to the organisation: it stays, and imports go on from where they are.`;
}

const inPlainWords = { connected: 'connected', needsReconnect: 'needs reconnect' };

function inWords(connection: Connection): string {
  const {
    name,
    tenantName,
    tenantId,
    applications,
    status,
    uncovered,
    quotaReserve,
    entitlements,
    entitlementsProbedAt,
  } = connection;
  const tried = entitlementsProbedAt?.toISOString().slice(0, 16).replace('T', ' ');
  return [
    `${name}: ${tenantName} (tenant ${tenantId}), ${inPlainWords[status]}${uncovered ? ': the last consent of its Xero user does not cover it' : ''}`,
    `applications: ${applications.join(', ') || 'none'}`,
    `reserve: imports leave ${quotaReserve === 0 ? 'none' : quotaReserve} of each day's calls to others`,
    ...(tried === undefined ? [] : [`as tried when it was connected, ${tried} UTC:`]),
    ...entitlements.map(({ message }) => `  ${message}`),
  ].join('\n');
}

/** What can be imported, as it was tried when the connection was made. */
function importable({ entitlements }: Connection): string {
  if (entitlements.length === 0) return 'not tried';
  const refused = entitlements.filter(({ works }) => works === false).map(({ what }) => `no ${what}`);
  const untried = entitlements.filter(({ works }) => works === null).map(({ what }) => `${what} not tried`);
  return [...refused, ...untried].join(', ') || 'all';
}

async function withConnection(
  name: string,
  work: (pool: pg.Pool, connection: Connection) => Promise<void>,
): Promise<void> {
  await withDatabase(async (pool) => {
    await work(pool, await requireConnection(pool, name));
  });
}
