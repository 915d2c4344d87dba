import type { Command } from 'commander';
import { RequestRefused } from '../client/refused.ts';
import { listActs } from '../storage/audit.ts';
import { changeInWords } from './audit-words.ts';
import { print, printTable } from './output.ts';
import { withDatabase } from './servers.ts';

const shown = 50;

export function addAuditCommand(program: Command): void {
  program
    .command('audit')
    .description('show what admins did: who, what, when')
    .option('--of <name>', 'of one connection or application only')
    .option('--json', 'print JSON, with what was before and after')
    .action(({ of, json }: { of?: string; json?: boolean }) =>
      withDatabase(async (pool) => {
        const acts = await listActs(pool, shown, of);
        if (of !== undefined && acts.length === 0) {
          throw new RequestRefused([
            `Nothing is written down of "${of}"; \`daybook audit\` shows what is, under the names it has there.`,
          ]);
        }
        if (json) return print(true, acts, '');
        printTable(
          ['at (UTC)', 'who', 'act', 'on', 'what'],
          acts.map(({ at, actor, act, subject, ...change }) => [
            at.toISOString().slice(0, 19),
            actor,
            act,
            subject,
            changeInWords(change),
          ]),
        );
      }),
    );
}
