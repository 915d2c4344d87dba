import type { CallsToCome } from '../model/plan.ts';
import { readThrough } from '../model/run.ts';
import { streams } from '../model/streams.ts';
import type { Connection } from '../storage/connections.ts';
import { counted } from './counted.ts';
import type { Plan } from './make-plan.ts';

/** A plan in words, a sentence or two a line. */
export function inSentences(plan: Plan, { name, tenantName }: Connection): string[] {
  return [
    `${tenantName} ("${name}"): ${plan.wanted}.`,
    ...whatItDoes(plan),
    ...toCome(plan),
    quota(plan),
    ...when(plan),
  ];
}

/** The cost alone, in one sentence; nothing where it is not known. */
export function costInWords({ cost, course, isNamed }: Plan): string {
  if (cost === null) return '';
  if (course === null) return endless;
  const latest = course.suspensions === 0 || isNamed ? '' : ' at the latest';
  return `About ${numbered(cost.calls, 'calls')}, done by ${instant(course.finishedBy)}${latest}.`;
}

function whatItDoes({ stream, watermark, startsAfter, movesWatermark, running }: Plan): string[] {
  const { name } = streams[stream];
  const isStored = `${capital(name)} are stored through ${readThrough(stream, watermark)}`;
  const stored = watermark === 0 ? `No ${name} are known to be stored without a hole.` : `${isStored}.`;
  if (!movesWatermark)
    return [`${stored} This import has filters: it stores what they admit, and leaves that mark alone.`];
  const goesOn = `it goes on after ${readThrough(stream, startsAfter)}, looking again at the last before the mark`;
  const lines = [
    watermark === 0 || startsAfter === 0 ? `${stored} It reads from the first.` : `${isStored}; ${goesOn}.`,
  ];
  if (running) lines.push(`They are being imported already, by workflow "${running.workflowId}" (${running.status}).`);
  return lines;
}

function toCome({ stream, newest, contradicted, cost }: Plan): string[] {
  const isInvoices = stream === 'invoices';
  if (cost === null) {
    const remedy = isInvoices
      ? 'Say how many invoices there are with --newest.'
      : 'Say the newest Journal ID, which Xero’s Journal Report shows, with --newest, or the last one wanted with --to.';
    const scale = isInvoices ? '100,000 invoices are 100 calls' : '100,000 journals are 1,000 calls, 17 minutes';
    return [`How much is to come is not known, as nothing is stored to go by; ${scale}. ${remedy}`];
  }
  if (contradicted !== null) {
    const stored = `Journal ID ${number(newest?.number ?? 0)} is stored already`;
    return [
      `The newest Journal ID cannot be ${number(contradicted)}, as ${stored}; reckoned with that: ${calls(cost)}.`,
    ];
  }
  const what = isInvoices
    ? `About ${numbered(newest?.number ?? 0, 'invoices')} ${newest?.number === 1 ? 'is' : 'are'} to come`
    : newest && `The newest Journal ID is ${newest.from === 'given' ? '' : 'about '}${number(newest.number)}`;
  const basis = newest?.from === 'estimated' ? ', judging by what is stored' : '';
  const cause = what ? `${what}${basis}: ` : '';
  return [`${cause}${calls(cost)}.`];
}

function calls(cost: CallsToCome): string {
  return `${numbered(cost.pages, 'pages')} at the most, ${numbered(cost.calls, 'calls')} with the end and the reference data`;
}

function quota({ quota: { dayRemaining, heardAt, blockedBy, blockedUntil, reserve, callsADay } }: Plan): string {
  const heard =
    dayRemaining === null || heardAt === null
      ? 'Xero has not said yet how many calls are left today'
      : `${numbered(dayRemaining, 'calls')} ${dayRemaining === 1 ? 'was' : 'were'} left when Xero last said, at ${instant(heardAt)}`;
  const spent =
    blockedBy === 'day' && blockedUntil !== null ? ` (the day begins again at ${instant(blockedUntil)})` : '';
  const left = reserve > 0 ? `; ${number(reserve)} of them ${reserve === 1 ? 'is' : 'are'} left to others` : '';
  return `${heard}${spent}; ${number(callsADay)} a day ${callsADay === 1 ? 'is' : 'are'} reckoned with${left}.`;
}

const endless =
  'It would not end: what is reserved for others leaves nothing of a day but one call an hour. Reserve less.';

function when({ cost, course, isNamed }: Plan): string[] {
  if (cost === null) return [];
  if (course === null) return [endless];
  if (course.suspensions === 0) return [`At 60 calls a minute it would be done by ${instant(course.finishedBy)}.`];
  const latest = isNamed ? '' : ' at the latest, as Xero names the hour only when a day is spent';
  const lines = [
    `At 60 calls a minute it would be done by ${instant(course.finishedBy)}${latest}: it makes calls on ${numbered(course.days, 'days')}.`,
  ];
  for (const { from, until } of course.first) lines.push(`  sleeps from ${instant(from)} until ${instant(until)}`);
  const more = course.suspensions - course.first.length;
  if (more > 0) lines.push(`  and ${number(more)} more ${more === 1 ? 'time, a day' : 'times, a day each'}`);
  return lines;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function numbered(value: number, plural: string): string {
  return counted(value, plural, number(value));
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** The last instant that a Date holds. */
export const latestDate = 8.64e15;

function instant(ms: number): string {
  if (ms > latestDate) return 'the end of time';
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
