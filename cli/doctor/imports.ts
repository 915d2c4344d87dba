import { type FoundRun, findRuns, type Trouble } from '../../client/found-run.ts';
import { starves } from '../../model/reserve.ts';
import { shellWord } from '../../model/shell-word.ts';
import { streams } from '../../model/streams.ts';
import { listConnections } from '../../storage/connections.ts';
import {
  countQuarantine,
  newestFailures,
  openRuns,
  type UnendedRun,
  unfoundedWatermarks,
} from '../../storage/diagnosis.ts';
import { counted } from '../counted.ts';
import { closingRemedy, connectCommand, forgottenInWords, pauseInTemporal, waitInWords } from '../run-words.ts';
import { starting } from '../starting.ts';
import { type Found, judge } from './findings.ts';
import type { DoctorPlace } from './place.ts';

export async function connections({ database }: DoctorPlace): Promise<Found> {
  const all = await listConnections(await database());
  const lost = all.filter(({ status }) => status === 'needsReconnect');
  const problems = lost.map(
    ({ name, tenantName, uncovered, applications: [application = 'NAME'] }) =>
      `The connection "${name}" (${tenantName}) needs a new consent${uncovered ? ', as the last one of its Xero user does not cover it' : ''}: \`${connectCommand({ connectionName: name, application })}\`.`,
  );
  if (all.length === 0) return judge([], ['None yet; `daybook connect` sets one up.']);
  const names = all.map(({ name }) => name).join(', ');
  return judge(problems, [
    all.length === 1 ? `${names} has its consent.` : `All ${all.length} have their consent: ${names}.`,
  ]);
}

export async function runs({ database, temporal, running }: DoctorPlace): Promise<Found> {
  const pool = await database();
  const [open, failed] = await Promise.all([openRuns(pool), newestFailures(pool)]);
  const found = open.length === 0 ? new Map<string, FoundRun>() : await findRuns(await temporal(), open);
  const hasClosed = ({ runId }: UnendedRun) => found.get(runId)?.isOpen === false;
  // A run writes its end before its workflow closes: only what is open still, now that Temporal has answered, was left open.
  const left = open.some(hasClosed) ? await openRuns(pool) : open;
  const problems = left.flatMap(
    (run) =>
      (hasClosed(run) ? afterTheEnd(run) : failing(run, found.get(run.runId)?.trouble ?? null)) ??
      starved(run) ??
      // Whoever paused it knows.
      (found.get(run.runId)?.isPaused ? [] : (stalled(run, Date.now()) ?? [])),
  );
  for (const { connectionName, stream, workflowId, message } of failed) {
    problems.push(
      `The newest import of ${streams[stream].name} of "${connectionName}" (${workflowId}) failed: ${message}`,
    );
  }
  // A worker that takes nothing is for another check to tell.
  const begun = await running()
    .then((all) => starting(pool, all))
    .catch(() => []);
  const forgotten = begun.filter(({ isAsleep }) => isAsleep);
  for (const { workflowId } of forgotten) problems.push(`The import ${workflowId}: ${forgottenInWords(workflowId)}.`);
  const states = [
    ...begun.filter(({ isAsleep }) => !isAsleep).map(({ workflowId }) => `${workflowId}: starting.`),
    ...left.map((run) => `${run.workflowId}: ${pauseInTemporal(run, found.get(run.runId)) ?? state(run)}.`),
  ];
  return judge(problems, [
    `${counted(states.length, 'imports')} ${states.length === 1 ? 'is' : 'are'} open.`,
    ...states,
  ]);
}

/** Read by a worker for so long without news: it is not being read. A page takes seconds, its pauses at most a minute. */
const stalledMs = 15 * 60_000;

/** Why a run that should go on does not; null when all is as it should be. */
export function stalled(run: UnendedRun, now: number): string | null {
  const { workflowId, status, waitingUntil, startedAt, attemptScheduledAt } = run;
  if (status === 'needsReconnect') {
    return `The import ${workflowId} ${waitInWords(run)}.`;
  }
  if (status === 'waiting' && waitingUntil !== null && now - waitingUntil.getTime() > stalledMs) {
    return `The import ${workflowId} should have gone on at ${waitingUntil.toISOString()}. See whether a worker runs, and the Temporal UI.`;
  }
  const news = attemptScheduledAt ?? startedAt;
  if ((status === 'running' || status === 'stopping') && now - news.getTime() > stalledMs) {
    return `The import ${workflowId} has read nothing since ${news.toISOString()}. See whether a worker runs, and the Temporal UI.`;
  }
  return null;
}

/** An import that waits under a reserve which no day of Xero's exceeds; null when it does not. */
function starved(run: UnendedRun): string | null {
  const { workflowId, connectionName, status, blockedBy, quotaReserve, dayRemaining } = run;
  if (status !== 'waiting' || blockedBy !== 'reserve' || starves(quotaReserve, dayRemaining) !== 'always') return null;
  return `The import ${workflowId} leaves ${quotaReserve} of each day's calls to others, which is all that Xero allows, so it makes one call an hour. Reserve less: \`daybook connections set ${connectionName} --quota-reserve 500\`, or cancel it where it was started with that reserve itself, and start it with a smaller one.`;
}

function state(run: UnendedRun): string {
  return waitInWords(run) ?? `${run.status}, ${counted(run.totals.calls, 'calls')} so far`;
}

/** A trouble of a minute or so passes by itself, as Xero's do. */
const worthTelling = 6;

export function failing({ workflowId, connectionName }: UnendedRun, trouble: Trouble | null): string | null {
  if (trouble === null || trouble.failures < worthTelling) return null;
  return `The import ${workflowId} of "${connectionName}" has failed ${trouble.failures} times in a row and is tried again: ${trouble.message}`;
}

function afterTheEnd(run: UnendedRun): string {
  return `The import ${run.workflowId} of "${run.connectionName}" was ended in Temporal from outside, and its row is still open; ${closingRemedy(run)}.`;
}

export async function quarantine({ database }: DoctorPlace): Promise<Found> {
  const waiting = await countQuarantine(await database());
  const problems = waiting.map(
    ({ connection, stream, rows, newestReason }) =>
      `${counted(rows, 'rows')} of ${stream} of "${connection}" could not be stored${rows === 1 ? '' : ', the newest'} because: ${newestReason.replace(/\.$/, '')}. See daybook.quarantine; delete what is dealt with.`,
  );
  return judge(problems, ['Every row that Xero sent is stored.']);
}

export async function watermarks({ database }: DoctorPlace): Promise<Found> {
  const unfounded = await unfoundedWatermarks(await database());
  const problems = unfounded.map(({ connectionName, application, stream, watermark, newest }) => {
    const asked = `daybook import journals --connection ${connectionName} --application ${shellWord(application ?? 'NAME')}${stream === 'cashJournals' ? ' --basis cash' : ''}`;
    return `The ${streams[stream].name} of "${connectionName}" count as read through ${watermark}, but the newest one stored is ${newest}: Xero sent a wrong number once, or journals were deleted here. The next import goes back to where no journal is missing; \`${asked} --full\` reads all of them again.`;
  });
  return judge(problems, ['What counts as read is stored.']);
}
