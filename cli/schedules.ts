import { type Command, Option } from 'commander';
import { RequestRefused } from '../client/refused.ts';
import type { ScheduledKind } from '../client/schedules.ts';
import { refusedAsTyped } from './as-typed.ts';
import { askedInWords } from './asked-words.ts';
import { refusals } from './imports.ts';
import { wholeNumber } from './number-option.ts';
import { print, printTable } from './output.ts';
import { withSchedules } from './servers.ts';

interface CreateOptions {
  connection: string;
  application: string;
  every?: number;
  cron?: string;
  basis?: string;
  conversionDate?: string;
  full?: boolean;
  json?: boolean;
}

const whatTheyDo: Record<ScheduledKind, string> = {
  journals: 'import journals',
  invoices: 'import invoices',
  reconcile: 'compare the stored ledger with Xero’s trial balance',
};
const day = 1_440;
/** Not quite two years. */
const mostMinutes = 999_999;

/** Imports and reconciliations on a rhythm, as Temporal Schedules. */
export function addScheduleCommands(program: Command): void {
  const schedules = program.command('schedule').description('import or reconcile on a rhythm, by Temporal Schedules');
  const creating = schedules.command('create').description('start an import or a reconciliation again and again');
  for (const kind of ['journals', 'invoices', 'reconcile'] as const) {
    const command = creating
      .command(kind)
      .description(`${whatTheyDo[kind]} on a rhythm; while one such workflow runs, the next is skipped`)
      .requiredOption('--connection <name>', 'the connection to use')
      .requiredOption('--application <name>', 'the application that asks')
      .addOption(
        new Option('--every <minutes>', `how many minutes apart, 1 to ${mostMinutes}`)
          .argParser(wholeNumber(1, mostMinutes))
          .conflicts('cron')
          .default(kind === 'reconcile' ? day : 60),
      )
      .option(
        '--cron <expression>',
        'start by a cron expression, in UTC: "0 3 * * 0" is Sundays at three; in another zone: "CRON_TZ=Europe/Berlin 0 3 * * 0". ' +
          'Starts fall some seconds after the minute, so that many do not meet',
      )
      .option('--json', 'print one line of JSON');
    if (kind !== 'reconcile') command.option('--full', 'read everything again each time');
    if (kind === 'reconcile')
      command.option('--conversion-date <date>', 'Xero’s conversion date, where it is later than the first journal');
    if (kind !== 'invoices') command.option('--basis <basis>', 'accrual (the ledger) or cash');
    command.action((options: CreateOptions) => create(kind, options));
  }

  schedules
    .command('list')
    .description('show the Schedules and when each starts next')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) =>
      withSchedules(async (found) => {
        const all = await found.list();
        if (json) return print(true, all, '');
        printTable(
          ['schedule', 'next start', 'rhythm', 'asks for', 'what'],
          all.map(({ scheduleId, rhythm, nextStart, paused, kind, request, what, taskQueue, isOurs }) => [
            scheduleId,
            paused ? 'paused' : (nextStart ?? 'never'),
            rhythm,
            kind === 'reconcile' ? basisInWords(request) : askedInWords(request),
            isOurs ? what : `${what} (task queue ${taskQueue})`,
          ]),
        );
      }),
    );

  schedules
    .command('delete <schedule-id>')
    .description('end a rhythm; what it has started goes on')
    .action((scheduleId: string) =>
      withSchedules(async (found) => {
        if (!(await found.delete(scheduleId))) {
          throw new RequestRefused([
            `There is no Schedule "${scheduleId}"; \`daybook schedule list\` shows those there are.`,
          ]);
        }
        print(false, null, `Deleted ${scheduleId}.`);
      }),
    );
}

async function create(kind: ScheduledKind, options: CreateOptions): Promise<void> {
  const { connection, application, every, cron, basis, conversionDate, full, json } = options;
  // Absent, not undefined: what Temporal keeps is the JSON that a person would write.
  const request: unknown = JSON.parse(JSON.stringify({ connection, application, basis, conversionDate, full }));
  const problems = await refusals(connection, application);
  if (problems.length > 0) throw new RequestRefused(problems);
  await withSchedules(async (schedules) => {
    const rhythm = cron === undefined ? { everyMinutes: every ?? 60 } : { cron };
    const scheduleId = await refusedAsTyped(schedules.create(kind, request, rhythm));
    const firstStart = (await schedules.nextStart(scheduleId))?.toISOString() ?? null;
    const first = firstStart === null ? '' : ` It starts first at ${firstStart}.`;
    print(json, { scheduleId, firstStart }, `Created ${scheduleId}.${first} See it with \`daybook schedule list\`.`);
  });
}

function basisInWords(request: unknown): string {
  return ((request ?? {}) as { basis?: unknown }).basis === 'cash' ? 'cash basis' : 'accrual';
}
