import type { Command } from 'commander';
import { loadConfig } from '../config/config.ts';
import { migrate } from '../storage/migrate.ts';
import { reach } from './environment.ts';
import { tell } from './output.ts';

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('bring the database up to this version')
    .action(async () => {
      const found = reach(loadConfig(process.env));
      const ran = await migrate(found.databaseUrl(), {
        remedy: found.remedies.postgres,
        say: tell,
      });
      process.stdout.write(ran.length === 0 ? 'The database is up to date.\n' : `Ran ${ran.join(', ')}.\n`);
    });
}
