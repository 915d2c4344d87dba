import { Command } from 'commander';
import { RequestRefused } from '../client/imports.ts';
import { ConfigurationError, loadConfig } from '../config/config.ts';
import { createLogger } from '../config/logging.ts';
import { migrate } from '../storage/migrate.ts';
import { addConnectCommand } from './connect.ts';
import { addConnectionCommands } from './connections.ts';
import { addDemoCommand } from './demo.ts';
import { reach } from './environment.ts';
import { addImportCommands } from './imports.ts';
import { addUpCommand } from './up.ts';

const program = new Command('daybook')
  .description('Imports Xero’s general ledger and invoices into Postgres, durably, through Xero’s quotas.')
  .showHelpAfterError();

addUpCommand(program);
addDemoCommand(program);

program
  .command('migrate')
  .description('bring the database up to this version')
  .action(async () => {
    const ran = await migrate(reach(loadConfig(process.env)).databaseUrl());
    process.stdout.write(ran.length === 0 ? 'The database is up to date.\n' : `Ran ${ran.join(', ')}.\n`);
  });

program
  .command('worker')
  .description('run a worker against the configured Postgres, Temporal and Xero')
  .action(async () => {
    const config = loadConfig(process.env);
    const place = reach(config);
    // Loaded here: the other commands start faster without the worker's native library.
    const { runWorker } = await import('../worker/main.ts');
    await runWorker({
      databaseUrl: place.databaseUrl(),
      temporal: place.temporal(),
      taskQueue: config.taskQueue,
      xero: place.xero(),
      tokenKeys: place.tokenKeys(),
      cacheDir: config.dataDir,
      log: createLogger(config.logLevel),
    });
  });

addConnectCommand(program);
addConnectionCommands(program);
addImportCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  // What a person can mend is said in a sentence; anything else keeps its trace.
  const mendable = error instanceof ConfigurationError || error instanceof RequestRefused;
  process.stderr.write(`${mendable ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = mendable ? 2 : 1;
}
