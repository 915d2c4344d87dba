import { createRequire } from 'node:module';
import { Command } from 'commander';
import { addCommands } from './commands.ts';
import { explain } from './failure.ts';
import { endWithoutReader, untilTaken, visible } from './output.ts';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

const program = new Command('daybook')
  .description('Imports Xero’s general ledger and invoices into Postgres, durably, through Xero’s quotas.')
  .version(version)
  .showHelpAfterError('(Add --help to see how it is used.)')
  .exitOverride();
await addCommands(program, process.argv[2]);

endWithoutReader(fail);
await program.parseAsync().catch(fail);
await untilTaken();
// gRPC cannot let go of a connection whose TLS handshake is never answered; that alone must not keep a command that is done.
setTimeout(() => process.exit(), 1_000).unref();

function fail(error: unknown): void {
  const { text, exitCode } = explain(error);
  process.stderr.write(visible(text));
  process.exitCode = exitCode;
}
