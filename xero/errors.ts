import { complaintInXml, looksLikeMarkup, readComplaint } from './fault-bodies.ts';
import type { FaultFacts, Unavailable, UnavailableCause, XeroFault } from './faults.ts';
import { noLimits } from './faults.ts';
import type { Headers } from './limits.ts';
import { readLimits, readRetryAfter, readWindow } from './limits.ts';
import { nameProblem, sentences } from './sentences.ts';

/** An answer that came whole, whatever it says. Header names are lower-case; secrets are scrubbed from `text`. */
export interface Heard {
  status: number;
  headers: Headers;
  text: string;
}

/** What was asked, for the sentences: the resource ("Journals") and whose ("the organisation 4da2…"). */
export interface Asked {
  resource: string;
  subject: string;
}

/** Sorts an answer that is not a success into what can be done about it. `now` is for Retry-After in the form of a date. */
export function readFault(heard: Heard, asked: Asked, now: number): XeroFault {
  // Xero's API says no in words; a page is from something on the way (a firewall, a content network), and passes.
  if (heard.status === 403 && looksLikeMarkup(heard.text) && complaintInXml(heard.text) === '')
    return badBody(heard, '', asked);
  return withItsNumber(sorted(heard, asked, now));
}

/** Says by which number Xero's support finds the call. */
export function withItsNumber<Told extends Pick<FaultFacts, 'message' | 'correlationId'>>(told: Told): Told {
  const { message, correlationId } = told;
  return correlationId === null
    ? told
    : { ...told, message: `${message} Xero's number for the call: ${correlationId}.` };
}

function sorted({ status, headers, text }: Heard, asked: Asked, now: number): XeroFault {
  const complaint = readComplaint(text);
  const say = sentences(asked, complaint);
  const facts = factsOf(headers);
  if (status === 429) {
    const retryAfterSeconds = readRetryAfter(headers, now);
    const window = readWindow(headers, facts.limits, retryAfterSeconds);
    return {
      kind: 'throttled',
      window,
      retryAfterSeconds,
      ...facts,
      message: say.throttled(window, retryAfterSeconds),
    };
  }
  if (status === 401 || status === 403) {
    const problem = nameProblem(status, complaint, headers['www-authenticate'] ?? '');
    if (problem === 'notEntitled') return { kind: problem, detail: complaint, ...facts, message: say.notEntitled() };
    if (problem === 'disconnected') return { kind: problem, detail: complaint, ...facts, message: say.disconnected() };
    return { kind: problem, ...facts, message: say[problem]() };
  }
  if (status === 503 && /organisation is offline/i.test(text)) {
    return unavailable('offline', say.offline(), readRetryAfter(headers, now), facts, asked);
  }
  if (status === 503) {
    const cause = /maintenance/i.test(text) ? 'maintenance' : 'server';
    const reason = `Xero's API is ${cause === 'maintenance' ? 'down for maintenance' : 'temporarily unavailable'} (503)`;
    return unavailable(cause, reason, readRetryAfter(headers, now), facts, asked);
  }
  // 501 says that there is no such function (https://developer.xero.com/documentation/api/accounting/responsecodes).
  if ((status >= 500 && status !== 501) || status === 408 || status === 425) {
    const reason = `Xero had a fault of its own (${status}${complaint === '' ? '' : `: ${complaint}`})`;
    return unavailable('server', reason, readRetryAfter(headers, now), facts, asked);
  }
  // Only answers to a call that did not ask for changes come here: a cache on the way has mixed up its callers.
  if (status === 304) {
    return unavailable('badBody', 'the answer (304) says “not modified”, which was not asked', null, facts, asked);
  }
  return { kind: 'refused', status, ...facts, message: say.refused(status) };
}

/** A success in name whose body is not what was asked for: a proxy's page, cut JSON, XML. Retryable. */
export function badBody(heard: Heard, problem: string, asked: Asked): Unavailable {
  const reason = `the answer (${heard.status}) is not Xero's: ${looksLikeMarkup(heard.text) ? 'markup instead of JSON' : problem}`;
  return withItsNumber(unavailable('badBody', reason, null, factsOf(heard.headers), asked));
}

/** No whole answer came: the network, a timeout, a body cut short. Retryable. */
export function silence(cause: 'network' | 'timeout' | 'badBody', reason: string, asked: Asked): Unavailable {
  return unavailable(cause, reason, null, { limits: noLimits, correlationId: null }, asked);
}

/** The call's limits and correlation id, which successes and faults carry alike. */
export function factsOf(headers: Headers): Omit<FaultFacts, 'message'> {
  return { limits: readLimits(headers), correlationId: headers['xero-correlation-id'] ?? null };
}

function unavailable(
  cause: UnavailableCause,
  reason: string,
  retryAfterSeconds: number | null,
  facts: Omit<FaultFacts, 'message'>,
  { resource, subject }: Asked,
): Unavailable {
  const message = `Xero gave no usable answer for ${resource} of ${subject}: ${reason}. The call can be repeated.`;
  return { kind: 'unavailable', cause, reason, retryAfterSeconds, ...facts, message };
}
