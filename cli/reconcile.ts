import type { Command } from 'commander';
import { requireConnection } from '../admin/registry.ts';
import type { EndingOf } from '../client/ending.ts';
import type { Reconciliations } from '../client/reconciliations.ts';
import { RequestRefused } from '../client/refused.ts';
import { checkReconcile, type ReconcileResult } from '../model/reconciliation.ts';
import { type CertificateSummary, findCertificate, listCertificates } from '../storage/reconciliation.ts';
import { asTyped } from './as-typed.ts';
import { createSilence } from './follow.ts';
import { refusals, wrongRequest } from './imports.ts';
import { print, printTable, tell } from './output.ts';
import { refuseTwice } from './said-once.ts';
import { withDatabase, withReconciliations } from './servers.ts';
import { leavingWords } from './until-stopped.ts';

interface Options {
  connection?: string;
  application?: string;
  date?: string;
  basis?: string;
  conversionDate?: string;
  list?: boolean;
  show?: string;
  json?: boolean;
}

export function addReconcileCommand(program: Command): void {
  const reconciling = program
    .command('reconcile')
    .description('compare the stored ledger with Xero’s own trial balance, account by account')
    .option('--connection <name>', 'the connection whose ledger to compare')
    .option('--application <name>', 'the application that asks; not needed where the connection lists only one')
    .option('--date <date>', 'as at the end of this day, such as 2026-03-31; today otherwise (UTC)')
    .option('--basis <basis>', 'accrual (the ledger) or cash')
    .option('--conversion-date <date>', 'Xero’s conversion date, where it is later than the first journal')
    .option('--list', 'show the newest certificates instead')
    .option('--show <run id>', 'show one certificate instead, with every difference')
    .option('--json', 'print one line of JSON')
    .action((options: Options) => {
      if (options.show !== undefined) return show(options.show, options.json);
      return options.list ? list(options) : reconcile(options);
    });
  refuseTwice(reconciling);
}

async function reconcile({ connection, application, date, basis, conversionDate, json }: Options): Promise<void> {
  const asks = application ?? (await onlyApplication(connection));
  // Absent, not undefined: what is sent is the same JSON that a person would write.
  const sent: unknown = JSON.parse(JSON.stringify({ connection, application: asks, date, basis, conversionDate }));
  const checked = checkReconcile(sent, Date.now());
  const problems = [
    ...(checked.ok ? [] : asTyped(checked.problems)),
    ...(connection === undefined || asks === undefined ? [] : await refusals(connection, asks)),
  ];
  if (problems.length > 0) throw new RequestRefused(problems);
  await withReconciliations(async (reconciliations) => {
    const { workflowId } = await reconciliations.start(sent);
    const ending = await leavingWords(
      () =>
        `The reconciliation goes on. \`daybook reconcile --list\` shows its certificate, end it with \`daybook cancel ${workflowId}\`.`,
      () => {
        tell(`Started ${workflowId}.`);
        return followToEnd(reconciliations, workflowId);
      },
    );
    print(json, { workflowId, ...(ending.ok ? ending.result : { outcome: 'failed', ...ending }) }, inWords(ending));
    if (!ending.ok) process.exitCode = wrongRequest.includes(ending.failure) ? 2 : 1;
    else if (ending.result.outcome !== 'clean') process.exitCode = 1;
  });
}

const lookEveryMs = 2_000;

/** Says what is waited for, each time that changes. */
async function followToEnd(reconciliations: Reconciliations, workflowId: string): Promise<EndingOf<ReconcileResult>> {
  let said: string | null = null;
  const silence = createSilence(reconciliations, workflowId, tell);
  const look = async () => {
    const waiting = await silence.around(() => reconciliations.waitingFor(workflowId)).catch(() => said);
    if (waiting !== null && waiting !== said) tell(`Waiting: ${waiting}`);
    said = waiting;
  };
  const looking = setInterval(() => void look(), lookEveryMs);
  try {
    return await reconciliations.ending(workflowId);
  } finally {
    clearInterval(looking);
  }
}

function inWords(ending: EndingOf<ReconcileResult>): string {
  if (!ending.ok) return `The reconciliation failed (${ending.failure}):\n${ending.message}`;
  const { message, runId, certificate } = ending.result;
  if (certificate === null) return message;
  const { unexplained, explained, differing } = certificate;
  const left = differing.unexplained + differing.explained - unexplained.length - explained.length;
  return [
    message,
    ...[...unexplained, ...explained].map(({ sentence }) => `- ${sentence}`),
    ...(left > 0 ? [`- … and ${left} more.`] : []),
    `Certificate ${runId}; all of it: \`daybook reconcile --show ${runId}\`.`,
  ].join('\n');
}

async function list({ connection, json }: Options): Promise<void> {
  const found = await withDatabase((pool) => listCertificates(pool, 20, connection));
  if (json) return print(true, found, '');
  printTable(
    ['reconciled (UTC)', 'connection', 'as at', 'basis', 'journals', 'accounts', 'result', 'certificate'],
    found.map((each) => [
      each.reconciledAt.toISOString().slice(0, 19),
      each.connection,
      each.date,
      each.basis,
      `${each.firstJournal}-${each.lastJournal}`,
      each.accounts,
      resultOf(each),
      each.runId,
    ]),
  );
}

function resultOf({ clean, unexplained, accounts }: CertificateSummary): string {
  if (clean && accounts === 0) return 'nothing to compare';
  if (clean) return 'clean';
  return unexplained === 0 ? 'journals gone' : `${unexplained} unexplained`;
}

async function show(runId: string, json: boolean | undefined): Promise<void> {
  const found = await withDatabase((pool) => findCertificate(pool, runId));
  if (!found)
    throw new RequestRefused([
      `There is no certificate "${runId}"; \`daybook reconcile --list\` shows those there are.`,
    ]);
  const words = [found.message, ...found.differences.map(({ sentence }) => `- ${sentence}`)].join('\n');
  print(json, found, `${words}\nBy ${found.application}, ${found.reconciledAt.toISOString()}.`);
}

async function onlyApplication(name: string | undefined): Promise<string | undefined> {
  if (name === undefined) return undefined;
  const connection = await withDatabase((pool) => requireConnection(pool, name));
  const [only, ...more] = connection.applications;
  if (only !== undefined && more.length === 0) return only;
  throw new RequestRefused([
    `Which application asks must be said by --application; the connection "${connection.name}" lists ${connection.applications.join(', ') || 'none'}.`,
  ]);
}
