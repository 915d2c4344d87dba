import { type Command, Option } from 'commander';
import { type RebuildProgress, rebuildBooks } from '../admin/rebuild.ts';
import { type Rebuildable, rebuildable } from '../storage/rebuild.ts';
import { operator } from './admin-place.ts';
import { print } from './output.ts';
import { withDatabase } from './servers.ts';
import { leavingWords } from './until-stopped.ts';

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
        let last: RebuildProgress | null = null;
        const onProgress = (progress: RebuildProgress) => {
          last = progress;
          show(progress);
        };
        const { done, problems } = await leavingWords(
          () => brokenOff(last),
          () => rebuildBooks({ pool, actor: operator() }, { connection, only: stream }, onProgress),
        );
        const left = problems.length === 0 ? '' : `\n${problems.join('\n')}`;
        print(json, { rebuilt: done - problems.length, problems }, `${done - problems.length} made anew.${left}`);
        if (problems.length > 0) process.exitCode = 1;
      }),
    );
}

/** What was made anew is so, whole document by whole document; the rest is as it was. */
function brokenOff(last: RebuildProgress | null): string {
  const far = last === null ? 'before anything was made anew' : `${last.of}: ${inWords(last)} were made anew`;
  return `Broken off, ${far}. The rest is as it was; run it again to make all of it anew.`;
}

function inWords({ done, total, what }: RebuildProgress): string {
  return `${done} of ${total} ${what}`;
}

/** A line that is drawn over itself in a terminal; elsewhere one for each kind that is done. */
function progressOn(stream: NodeJS.WriteStream): (progress: RebuildProgress) => void {
  return (progress) => {
    const { of, done, total } = progress;
    const line = `${of}: ${inWords(progress)}`;
    if (stream.isTTY) stream.write(`\r\x1b[K${line}${done >= total ? '\n' : ''}`);
    else if (done >= total) stream.write(`${line}\n`);
  };
}
