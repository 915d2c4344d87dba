import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stepTroubles, type Trouble } from '../../client/found-run.ts';
import type { RunningWorkflow } from '../../client/running.ts';
import { shellWord } from '../../model/shell-word.ts';
import { accessFaults } from '../../storage/applications.ts';
import { databaseFacts, databaseMark } from '../../storage/diagnosis.ts';
import { takesNoWrites } from '../../storage/writable.ts';
import { checkSeals } from '../../xero/check-seals.ts';
import { askHosts } from '../../xero/reachable.ts';
import { createKeyRing } from '../../xero/sealing.ts';
import { counted } from '../counted.ts';
import { isUntaken } from '../starting.ts';
import { type Found, judge } from './findings.ts';
import type { DoctorPlace } from './place.ts';
import { isLive, type Polled, pollersOf } from './pollers.ts';

const megabyte = 1_048_576;

export async function postgres({ openDatabase }: DoctorPlace): Promise<Found> {
  const pool = await openDatabase().catch((error: Error) => error);
  if (pool instanceof Error) return judge([pool.message], []);
  const { version, bytes } = await databaseFacts(pool);
  const readOnly = await takesNoWrites(pool);
  return judge(readOnly === null ? [] : [readOnly], [
    `Postgres ${version} has this program's migrations, and ${Math.ceil(bytes / megabyte)} MB of data.`,
  ]);
}

export async function access({ database }: DoctorPlace): Promise<Found> {
  return judge(await accessFaults(await database()), [
    'Each application reads what its connections list, and no more.',
  ]);
}

export async function tokens({ database, reach }: DoctorPlace): Promise<Found> {
  const pool = await database();
  const keys = createKeyRing(reach.tokenKeys());
  const { pairs, problems } = await checkSeals(pool, keys);
  return judge(problems, [
    `The ${keys.kids.length === 1 ? 'key' : 'keys'} ${keys.kids.join(', ')} ${keys.kids.length === 1 ? 'opens' : 'open'} ${pairs === 1 ? 'the one stored pair' : `all ${pairs} stored pairs`} of tokens.`,
  ]);
}

export async function temporal({ openTemporal }: DoctorPlace): Promise<Found> {
  const client = await openTemporal().catch((error: Error) => error);
  if (client instanceof Error) return judge([client.message], []);
  const { namespace } = client.options;
  const service = client.workflowService;
  const { serverVersion } = await service.getSystemInfo({});
  const missing = await service.describeNamespace({ namespace }).then(
    () => [],
    (error: Error) => [
      `Temporal answers, but not for the namespace "${namespace}" (TEMPORAL_NAMESPACE): ${error.message.replace(/\.$/, '')}.`,
    ],
  );
  return judge(missing, [`Temporal ${serverVersion} has the namespace "${namespace}".`]);
}

export async function worker({ temporal: reached, running, database, config }: DoctorPlace): Promise<Found> {
  const client = await reached();
  const polled = await pollersOf(client, config.taskQueue);
  // Where the database is away another check says so.
  const mark = await database().then(databaseMark, () => null);
  const [problems, facts] = judgeWorkers(polled, config.taskQueue, Date.now(), mark);
  const all = await running();
  const failing = await stepTroubles(client, all);
  const waiting = all.filter(({ workflowId }) => !failing.has(workflowId));
  return judge([...problems, ...failingSteps(all, failing), ...untaken(waiting, Date.now())], facts);
}

/** Of more of them the rest is counted: they mostly fail for one reason. */
const failingTold = 5;

/** A worker takes it and cannot do it: another worker of the same version would fare no better. */
function failingSteps(running: readonly RunningWorkflow[], troubles: ReadonlyMap<string, Trouble>): string[] {
  const told = running.flatMap(({ workflowId, workflowType }) => {
    const trouble = troubles.get(workflowId);
    if (!trouble) return [];
    return `The next step of the workflow ${workflowId} (type "${workflowType}") fails whenever a worker takes it, ${counted(trouble.failures, 'times')} so far: ${trouble.message.replace(/\.$/, '')}. Run the version of Daybook that it began with, or end it in Temporal (\`temporal workflow terminate --workflow-id ${shellWord(workflowId)}\`).`;
  });
  const more = told.length - failingTold;
  return more <= 0 ? told : [...told.slice(0, failingTold), `So ${more === 1 ? 'does' : 'do'} those of ${more} more.`];
}

/** That a worker asks for work is no proof that it does any: its process may hang. */
export function untaken(running: RunningWorkflow[], now: number): string[] {
  const waiting = running.filter((each) => isUntaken(each, now));
  const [first, ...more] = waiting.sort((one, other) => Number(one.untakenSince) - Number(other.untakenSince));
  if (first === undefined) return [];
  const others = more.length === 0 ? '' : `, and so ${more.length === 1 ? 'does' : 'do'} ${more.length} more`;
  return [
    `The workflow ${first.workflowId} waits for a worker since ${first.untakenSince?.toISOString()}${others}. A worker that runs hangs (is its process stopped?) or has too much to do: restart it, or start another; what has begun goes on.`,
  ];
}

export function judgeWorkers(
  polled: Polled[],
  taskQueue: string,
  now: number,
  databaseMark: string | null,
): [problems: string[], facts: string[]] {
  const live = polled.filter((each) => isLive(each, now));
  const start = 'Start one: `npx daybook up`, or `npx daybook worker` with servers of your own.';
  if (live.length === 0) {
    const last = Math.max(...polled.map(({ at }) => at));
    const since = polled.length === 0 ? '' : `; the last one asked for work ${Math.round((now - last) / 1_000)} s ago`;
    return [[`No worker takes work from the task queue "${taskQueue}"${since}. ${start}`], []];
  }
  const missing = (['workflow', 'activity'] as const).filter((kind) => !live.some((each) => each.kind === kind));
  const builds = new Set(live.flatMap(({ build }) => build ?? []));
  const names = [...new Set(live.map(({ identity }) => identity))];
  const problems = missing.map((kind) => `The worker takes no ${kind} tasks from "${taskQueue}". ${start}`);
  if (builds.size > 1) {
    problems.push(`Workers of ${builds.size} builds take work from "${taskQueue}"; restart those of the older one.`);
  }
  // A worker of a version that names no database is told by its build.
  const strangers = names.filter(
    (name) => databaseMark !== null && /\/[0-9a-f]{8}$/.test(name) && !name.endsWith(`/${databaseMark}`),
  );
  if (strangers.length > 0) {
    problems.push(
      `${strangers.join(', ')} (process@machine) ${strangers.length === 1 ? 'takes' : 'take'} work from "${taskQueue}" for another database, and imports of this one fail there. End it, or give it a task queue of its own (TEMPORAL_TASK_QUEUE).`,
    );
  }
  const build = [...builds][0]?.replace(/(\+.{12}).*/, '$1') ?? 'not named';
  return [problems, [`${names.join(', ')} ${names.length === 1 ? 'takes' : 'take'} work (build ${build}).`]];
}

export async function xero({ reach }: DoctorPlace): Promise<Found> {
  const answers = await askHosts(reach.xero(), 8_000);
  const problems = answers.flatMap(({ variable, url, problem }) =>
    problem === null ? [] : `${new URL(url).host} (${variable}) ${problem}.`,
  );
  const hosts = [...new Set(answers.map(({ url }) => new URL(url).host))];
  return judge(problems, [`${hosts.join(', ')} ${hosts.length === 1 ? 'answers' : 'answer'}.`]);
}

/** Postgres compares instants that workers wrote, and tokens and waits go by Xero's: clocks must agree within this. */
const mostSkewMs = 5_000;

export async function clocks({ database, temporal: reached, xero: app, config }: DoctorPlace): Promise<Found> {
  const skews = await Promise.all([
    database().then(async (pool) => skew('Postgres’', async () => (await databaseFacts(pool)).clock)),
    // Temporal tells no time, but when it was last asked for work: that cannot lie ahead of us.
    reached().then((client) =>
      skew('Temporal’s', async () => {
        const latest = Math.max(...(await pollersOf(client, config.taskQueue)).map(({ at }) => at));
        return latest > Date.now() ? latest : null;
      }),
    ),
    skew('Xero’s', async () => (await askHosts(app(), 8_000))[0]?.clock ?? null),
  ]);
  const problems = skews.flatMap(({ whose, ms }) =>
    ms === null || Math.abs(ms) <= mostSkewMs
      ? []
      : `${whose} clock is ${Math.round(Math.abs(ms) / 1_000)} s ${ms > 0 ? 'ahead of' : 'behind'} this machine's. Set both by NTP.`,
  );
  return judge(problems, ['This machine, Postgres, Temporal and Xero agree on the time.']);
}

async function skew(whose: string, ask: () => Promise<number | null>): Promise<{ whose: string; ms: number | null }> {
  const asked = Date.now();
  const clock = await ask();
  return { whose, ms: clock === null ? null : clock - (asked + Date.now()) / 2 };
}

/** The embedded servers keep the books in the data folder; without them it holds little. */
const leastFree = { embedded: 1_024 * megabyte, configured: 100 * megabyte };

export async function disk({ config }: DoctorPlace): Promise<Found> {
  let folder = config.dataDir;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const least = config.databaseUrl === null || !config.temporalConfigured ? leastFree.embedded : leastFree.configured;
  const has = `${Math.floor(free / megabyte)} MB are free where the data folder ${config.dataDir} is`;
  return judge(free < least ? [`Only ${has}. Make room: a server that cannot write stops.`] : [], [`${has}.`]);
}
