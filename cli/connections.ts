import type { Command } from 'commander';
import type pg from 'pg';
import { ConfigurationError } from '../config/config.ts';
import {
  allowApplication,
  type Connection,
  denyApplication,
  findConnection,
  listConnections,
  removeConnection,
} from '../storage/connections.ts';
import { requireGoodNames } from './names.ts';
import { print, printTable } from './output.ts';
import { withDatabase } from './servers.ts';

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
          ['name', 'organisation', 'applications', 'tenant'],
          all.map(({ name, tenantName, applications, tenantId }) => [
            name,
            tenantName,
            applications.join(', '),
            tenantId,
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
      withConnection(name, async (pool, { connectionId }) => {
        requireGoodNames({ applications: [application] });
        await allowApplication(pool, connectionId, application);
        print(false, null, `"${application}" may use "${name}" now.`);
      }),
    );

  connections
    .command('deny <name>')
    .description('take an application off a connection; a running import of its stops at its next page')
    .requiredOption('--application <name>', 'which one')
    .action((name: string, { application }: { application: string }) =>
      withConnection(name, async (pool, { connectionId }) => {
        const denied = await denyApplication(pool, connectionId, application);
        print(
          false,
          null,
          denied
            ? `"${application}" may not use "${name}" any more.`
            : `"${application}" was not on the list of "${name}".`,
        );
      }),
    );

  connections
    .command('remove <name>')
    .description('forget a connection; what it imported stays')
    .action((name: string) =>
      withConnection(name, async (pool, { connectionId }) => {
        await removeConnection(pool, connectionId);
        print(false, null, `"${name}" is removed. What was imported through it stays in the database.`);
      }),
    );
}

function inWords({ name, tenantName, tenantId, applications }: Connection): string {
  return `${name}: ${tenantName} (tenant ${tenantId})\napplications: ${applications.join(', ') || 'none'}`;
}

async function withConnection(
  name: string,
  work: (pool: pg.Pool, connection: Connection) => Promise<void>,
): Promise<void> {
  await withDatabase(async (pool) => {
    const connection = await findConnection(pool, name);
    if (!connection)
      throw new ConfigurationError(
        `There is no connection "${name}"; \`daybook connections list\` shows those there are.`,
      );
    await work(pool, connection);
  });
}
