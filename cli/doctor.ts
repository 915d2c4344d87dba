import type { Command } from 'commander';
import { type Config, ConfigurationError, inTheClear, loadConfig } from '../config/config.ts';
import { type Check, examine, type Finding, judge } from './doctor/findings.ts';
import { connections, quarantine, runs, watermarks } from './doctor/imports.ts';
import { createPlace, type DoctorPlace } from './doctor/place.ts';
import { schedules } from './doctor/schedules.ts';
import { access, clocks, disk, postgres, temporal, tokens, worker, xero } from './doctor/servers.ts';
import { print } from './output.ts';

/** What is looked at, in the order in which it is told. */
const looks = {
  postgres,
  access,
  tokens,
  temporal,
  worker,
  schedules,
  connections,
  runs,
  quarantine,
  watermarks,
  clocks,
  disk,
  xero,
} satisfies Record<string, (place: DoctorPlace) => Promise<unknown>>;

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('look whether all is well, and say what is not and what to do; spends none of Xero’s quota')
    .option('--json', 'print one line of JSON')
    .action(doctor);
}

async function doctor({ json }: { json?: boolean }): Promise<void> {
  const findings = await examineAll(process.env);
  const well = findings.every(({ verdict }) => verdict === 'well');
  print(json, { well, checks: findings }, [...findings.flatMap(inWords), '', summary(findings)].join('\n'));
  if (!well) process.exitCode = 1;
}

async function examineAll(environment: NodeJS.ProcessEnv): Promise<Finding[]> {
  const secrets = secretsOf(environment);
  const config = readConfig(environment);
  if (config instanceof ConfigurationError) {
    const wrong = { check: 'configuration', look: async () => judge(config.message.split('\n'), []) };
    return examine([wrong], secrets);
  }
  const place = createPlace(config);
  const checks: Check[] = [{ check: 'configuration', look: async () => judge([], whereAllIs(config)) }];
  for (const [check, look] of Object.entries(looks)) checks.push({ check, look: () => look(place) });
  try {
    return await examine(checks, secrets);
  } finally {
    await place.close();
  }
}

function readConfig(environment: NodeJS.ProcessEnv): Config | ConfigurationError {
  try {
    return loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
}

function whereAllIs({ databaseUrl, temporalConfigured, xero: app, taskQueue, dataDir }: Config): string[] {
  const whose = (isConfigured: boolean) => (isConfigured ? 'configured' : `embedded in ${dataDir}`);
  const xeros = app === null ? 'the local sandbox stands in for Xero' : 'a Xero app is configured';
  const warning = inTheClear(app);
  const where = `Postgres is ${whose(databaseUrl !== null)}, Temporal is ${whose(temporalConfigured)}, ${xeros}; task queue "${taskQueue}".`;
  return warning === null ? [where] : [where, warning];
}

/** A shorter one is part of ordinary words, and no secret. */
const shortestSecret = 6;

/** What must not be in any finding, whoever's message quotes it. */
function secretsOf({ DATABASE_URL, XERO_CLIENT_SECRET, DAYBOOK_TOKEN_KEYS, TEMPORAL_API_KEY }: NodeJS.ProcessEnv) {
  const url = DATABASE_URL && URL.canParse(DATABASE_URL) ? new URL(DATABASE_URL) : null;
  const keys = DAYBOOK_TOKEN_KEYS?.split(',').map((entry) => entry.slice(entry.indexOf(':') + 1).trim()) ?? [];
  const passwords = url ? [url.password, decodeURIComponent(url.password)] : [];
  return [...passwords, ...keys, XERO_CLIENT_SECRET, TEMPORAL_API_KEY].flatMap((secret) =>
    secret && secret.length >= shortestSecret ? secret : [],
  );
}

const verdicts = { well: 'well', wrong: 'WRONG', notChecked: 'not checked' };

function inWords({ check, verdict, says }: Finding): string[] {
  const indent = ' '.repeat(28);
  return says.map((line, index) =>
    index === 0 ? `${verdicts[verdict].padEnd(12)}${check.padEnd(16)}${line}` : `${indent}${line}`,
  );
}

function summary(findings: Finding[]): string {
  const count = (verdict: Finding['verdict']) => findings.filter((each) => each.verdict === verdict).length;
  const [wrong, unseen] = [count('wrong'), count('notChecked')];
  if (wrong + unseen === 0) return 'All is well.';
  return `${wrong} of ${findings.length} checks found something wrong${unseen > 0 ? `, ${unseen} could not be made` : ''}.`;
}
