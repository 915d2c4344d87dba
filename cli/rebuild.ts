import { type Command, Option } from 'commander';
import { type RebuildProgress, rebuildBooks } from '../admin/rebuild.ts';
import { type Rebuildable, rebuildable } from '../storage/rebuild.ts';
import { operator } from './admin-place.ts';
import { print } from './output.ts';
import { withDatabase } from './servers.ts';

interface RebuildOptions {
  connection?: string;
  stream?: Rebuildable;
  json?: boolean;
}

export function addRebuildCommand(program: Command): void {
  program
    .command('rebuild')
    .description('make all tables anew from what Xero sent, without a call; readers and imports go on beside it')
    .option('--connection <name>', 'of one connection’s organisation only')
    .addOption(new Option('--stream <stream>', 'these only').choices(rebuildable))
    .option('--json', 'print one line of JSON')
    .action(({ connection, stream, json }: RebuildOptions) =>
      withDatabase(async (pool) => {
        const show = json ? () => {} : progressOn(process.stderr);
        const { done, problems } = await rebuildBooks({ pool, actor: operator() }, { connection, only: stream }, show);
        const left = problems.length === 0 ? '' : `\n${problems.join('\n')}`;
        print(json, { rebuilt: done - problems.length, problems }, `${done - problems.length} made anew.${left}`);
        if (problems.length > 0) process.exitCode = 1;
      }),
    );
}

/** A line that is drawn over itself in a terminal; elsewhere one for each kind that is done. */
function progressOn(stream: NodeJS.WriteStream): (progress: RebuildProgress) => void {
  return ({ of, what, done, total }) => {
    const line = `${of}: ${done} of ${total} ${what}`;
    if (stream.isTTY) stream.write(`\r\x1b[K${line}${done >= total ? '\n' : ''}`);
    else if (done >= total) stream.write(`${line}\n`);
  };
}
