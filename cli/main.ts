import { createRequire } from 'node:module';
import { Command } from 'commander';
import { loadConfig } from '../config/config.ts';
import { createLogger } from '../config/logging.ts';
import { migrate } from '../storage/migrate.ts';
import { addApplicationCommands } from './applications.ts';
import { addAuditCommand } from './audit.ts';
import { addBackfillCommand } from './backfill.ts';
import { addConnectCommand } from './connect.ts';
import { addConnectionCommands } from './connections.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { reach } from './environment.ts';
import { addExportCommands } from './export.ts';
import { explain } from './failure.ts';
import { addImportCommands } from './imports.ts';
import { addKeyCommands } from './keys.ts';
import { endWithoutReader } from './output.ts';
import { addPlanCommand } from './plan.ts';
import { addRebuildCommand } from './rebuild.ts';
import { addReconcileCommand } from './reconcile.ts';
import { addScheduleCommands } from './schedules.ts';
import { addStatusCommand } from './status.ts';
import { addUpCommand } from './up.ts';
import { addWebCommands } from './web.ts';
import { endWithParent, tellParent } from './worker-process.ts';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

const program = new Command('daybook')
  .description('Imports Xero’s general ledger and invoices into Postgres, durably, through Xero’s quotas.')
  .version(version)
  .showHelpAfterError('(Add --help to see how it is used.)')
  .exitOverride();

addUpCommand(program);
addDemoCommand(program);

program
  .command('migrate')
  .description('bring the database up to this version')
  .action(async () => {
    const found = reach(loadConfig(process.env));
    const ran = await migrate(found.databaseUrl(), found.remedies.postgres);
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
    endWithParent();
    await runWorker({
      databaseUrl: place.databaseUrl(),
      temporal: place.temporal(),
      taskQueue: config.taskQueue,
      xero: place.xero(),
      tokenKeys: place.tokenKeys(),
      cacheDir: config.dataDir,
      metricsAddress: config.metricsAddress,
      log: createLogger(config.logLevel),
      onReady: tellParent,
    });
  });

addConnectCommand(program);
addConnectionCommands(program);
addWebCommands(program);
addAuditCommand(program);
addKeyCommands(program);
addDoctorCommand(program);
addApplicationCommands(program);
addPlanCommand(program);
addImportCommands(program);
addStatusCommand(program);
addBackfillCommand(program);
addScheduleCommands(program);
addExportCommands(program);
addRebuildCommand(program);
addReconcileCommand(program);

endWithoutReader(fail);
await program.parseAsync().catch(fail);
// gRPC cannot let go of a connection whose TLS handshake is never answered; that alone must not keep a command that is done.
setTimeout(() => process.exit(), 1_000).unref();

function fail(error: unknown): void {
  const { text, exitCode } = explain(error);
  process.stderr.write(text);
  process.exitCode = exitCode;
}
