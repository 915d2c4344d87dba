import type { Command } from 'commander';
import { RequestRefused } from '../client/refused.ts';
import { usualCallsADay } from '../model/plan.ts';
import { type ImportKind, type ImportRequest, largestJournalId, mostCallsADay } from '../model/request.ts';
import { findConnection } from '../storage/connections.ts';
import { addFilterOptions, type RequestOptions, requestOf } from './import-request.ts';
import { allProblems } from './imports.ts';
import { makePlan, type Plan } from './make-plan.ts';
import { wholeNumber } from './number-option.ts';
import { print } from './output.ts';
import { inSentences, latestDate } from './plan-sentences.ts';
import { refuseTwice } from './said-once.ts';
import { withDatabase } from './servers.ts';

interface PlanOptions extends RequestOptions {
  newest?: number;
  callsADay: number;
  reserve?: number;
  json?: boolean;
}

/** What an import would cost and when it would be done, without starting it and without a call to Xero. */
export function addPlanCommand(program: Command): void {
  const planning = program.command('plan').description('show what an import would cost, without a call to Xero');
  for (const kind of ['journals', 'invoices'] as const) {
    const command = planning
      .command(kind)
      .description(`how many calls an import of ${kind} would make, and when it would be done`)
      .requiredOption('--connection <name>', 'the connection to import through')
      .requiredOption('--application <name>', 'the application that asks');
    addFilterOptions(command, kind)
      .option(
        kind === 'journals' ? '--newest <journal id>' : '--newest <count>',
        kind === 'journals'
          ? 'the newest Journal ID there is, as Xero’s Journal Report shows it'
          : 'how many invoices are to come',
        wholeNumber(0, largestJournalId),
      )
      .option(
        '--calls-a-day <calls>',
        'the organisation’s daily limit: 1,000 on Xero’s Starter tier',
        wholeNumber(1, mostCallsADay),
        usualCallsADay,
      )
      .option('--reserve <calls>', 'how many of the day’s calls it leaves to others', wholeNumber(0, mostCallsADay))
      .option('--json', 'print one line of JSON')
      .action((options: PlanOptions) => plan(kind, options));
  }
  refuseTwice(planning);
}

async function plan(kind: ImportKind, options: PlanOptions): Promise<void> {
  const { reserve } = options;
  const request = { ...requestOf(options), ...(reserve === undefined ? {} : { quotaReserve: reserve }) };
  const problems = await allProblems(kind, request, options);
  if (problems.length > 0) throw new RequestRefused(problems);
  await withDatabase(async (pool) => {
    const connection = await findConnection(pool, options.connection);
    if (!connection) throw new RequestRefused([`The connection "${options.connection}" has just been removed.`]);
    const { newest = null, callsADay } = options;
    const asked = request as ImportRequest;
    const made = await makePlan(pool, kind, asked, connection, { newest, callsADay }, Date.now());
    print(options.json, forPrograms(made), inSentences(made, connection).join('\n'));
  });
}

/** Instants as ISO texts; null for one beyond what a date can be. */
function forPrograms(plan: Plan): unknown {
  const { quota, course } = plan;
  const iso = (ms: number | null) => (ms === null || ms > latestDate ? null : new Date(ms).toISOString());
  return {
    ...plan,
    quota: { ...quota, heardAt: iso(quota.heardAt), blockedUntil: iso(quota.blockedUntil) },
    course: course && {
      ...course,
      finishedBy: iso(course.finishedBy),
      first: course.first.map(({ from, until }) => ({ from: iso(from), until: iso(until) })),
    },
  };
}
