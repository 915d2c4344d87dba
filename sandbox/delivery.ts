import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Call } from './calls.ts';
import {
  authenticationUnsuccessful,
  authorizationUnsuccessful,
  gatewayPage,
  maintenance,
  notFound,
  oauthError,
  organisationOffline,
  roleForbidden,
  serverError,
  tenantForbidden,
  tokenExpired,
} from './dialects.ts';
import type { Answer, Exchange } from './exchange.ts';
import { headerOf } from './exchange.ts';
import type { DelayAction, FaultAction } from './faults.ts';

const compress = promisify(gzip);
const WORTH_COMPRESSING = 1024;

/** Waits; true when the client is still there. */
function wait(ms: number, response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(true), ms);
    const gone = (): void => done(false);
    const done = (there: boolean): void => {
      clearTimeout(timer);
      response.off('close', gone);
      resolve(there);
    };
    response.once('close', gone);
    if (response.destroyed) done(false);
  });
}

/** The answer that a fault puts in place of the true one, so that the work behind it is never done. */
function substitute(action: FaultAction, now: number): Answer | undefined {
  switch (action.kind) {
    case 'problem500':
      return serverError();
    case 'html500':
      return gatewayPage(500, 'Internal Server Error');
    case 'html502':
      return gatewayPage(502, 'Bad Gateway');
    case 'html503':
      return gatewayPage(503, 'Service Unavailable');
    case 'html504':
      return gatewayPage(504, 'Gateway Timeout');
    case 'html200':
      return gatewayPage(200, 'Welcome to the hotel Wi-Fi');
    case 'empty500':
      return { status: 500 };
    case 'offline503':
      return organisationOffline();
    case 'maintenance503':
      return maintenance();
    case 'rateLimited':
      return rateLimited(action.problem, action.retryAfter);
    case 'tokenExpired':
      return tokenExpired(now - 1000);
    case 'authenticationUnsuccessful':
      return authenticationUnsuccessful();
    case 'authorizationUnsuccessful':
      return authorizationUnsuccessful();
    case 'forbiddenDisconnected':
      return tenantForbidden();
    case 'forbiddenRole':
      return roleForbidden();
    case 'notFound':
      return notFound();
    case 'notModified':
      return { status: 304 };
    case 'invalidGrant':
      return oauthError(400, 'invalid_grant');
    case 'invalidClient':
      return oauthError(401, 'invalid_client');
    case 'answer':
      return {
        status: action.status,
        ...(action.headers ? { headers: action.headers } : {}),
        ...(action.body === undefined ? {} : { body: action.body }),
      };
    default:
      return undefined;
  }
}

/** 429 as Xero sends it: no body; Retry-After where Xero names a time. */
export function rateLimited(problem: string, retryAfter?: number | string): Answer {
  return {
    status: 429,
    headers: {
      'X-Rate-Limit-Problem': problem,
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
    },
  };
}

function spoil(answer: Answer, action: FaultAction): Answer {
  const body = String(answer.body ?? '');
  if (action.kind === 'byteOrderMark') return { ...answer, body: `\ufeff${body}` };
  if (action.kind === 'wrongContentType')
    return { ...answer, headers: { ...answer.headers, 'content-type': 'text/html' } };
  if (action.kind === 'brokenGzip') return { ...answer, headers: { ...answer.headers, 'content-encoding': 'gzip' } };
  if (action.kind === 'truncatedJson') return { ...answer, body: body.slice(0, Math.floor(body.length / 2)) };
  if (action.kind !== 'noRefreshToken' || answer.status !== 200) return answer;
  const { refresh_token: _, ...rest } = JSON.parse(body) as Record<string, unknown>;
  return { ...answer, body: JSON.stringify(rest) };
}

async function send(
  exchange: Exchange,
  response: ServerResponse,
  answer: Answer,
  always: Record<string, string>,
  zip: boolean,
  cut: boolean,
  done: () => void,
): Promise<void> {
  const wantsGzip = zip && /\bgzip\b/.test(headerOf(exchange, 'accept-encoding') ?? '');
  let body = Buffer.isBuffer(answer.body) ? answer.body : Buffer.from(answer.body ?? '', 'utf8');
  const headers: Record<string, string> = { ...answer.headers, ...always };
  if (wantsGzip && headers['content-encoding'] === undefined && body.length > WORTH_COMPRESSING) {
    // Level 1: on a machine under test the processor is worth more than the loopback's bytes.
    body = await compress(body, { level: 1 });
    headers['content-encoding'] = 'gzip';
  }
  if (zip) headers.vary = 'Accept-Encoding';
  if (answer.status !== 204 && answer.status !== 304) headers['content-length'] = String(body.length);
  if (response.destroyed) return;
  response.writeHead(answer.status, headers);
  if (!cut) {
    // Before the last byte: a client that has its answer may call again at once and must not meet its own shadow.
    done();
    response.end(body);
    return;
  }
  await new Promise<void>((resolve) =>
    response.write(body.subarray(0, Math.max(1, Math.floor(body.length / 2))), () => resolve()),
  );
  response.destroy();
}

export interface Delivery {
  /** Headers of every answer, faulty ones included. */
  always?: Record<string, string>;
  /** Compress when asked to. */
  zip: boolean;
  /** How long the answer takes at least: real ms. */
  latencyMs?: number;
  /** The sandbox's clock: ms. */
  now: number;
  /** Called when the work is over, just before the answer's last byte. */
  done?: () => void;
}

export interface Struck {
  delays: DelayAction[];
  action?: FaultAction;
}

/** Does the work of one call and sends its answer, with whatever faults struck it. */
export async function deliver(
  exchange: Exchange,
  response: ServerResponse,
  call: Call,
  work: () => Answer | Promise<Answer>,
  { delays, action }: Struck,
  { always = {}, zip, latencyMs = 0, now, done = () => {} }: Delivery,
): Promise<void> {
  if (action) call.fault = action.kind;
  else if (delays.length > 0) call.fault = 'delay';
  const pause = (when: 'before' | 'after'): number =>
    delays.filter((delay) => (delay.when ?? 'before') === when).reduce((sum, delay) => sum + delay.ms, 0);
  const before = pause('before') + latencyMs + (action?.kind === 'stall' ? (action.ms ?? 2 ** 31 - 1) : 0);
  if (before > 0 && !(await wait(before, response))) return;
  if (action?.kind === 'reset' && action.when !== 'after') {
    response.destroy();
    return;
  }
  const answer = (action && substitute(action, now)) ?? (await work());
  const after = pause('after');
  if (after > 0 && !(await wait(after, response))) return;
  if (action?.kind === 'reset') {
    response.destroy();
    return;
  }
  call.status = answer.status;
  await send(
    exchange,
    response,
    action ? spoil(answer, action) : answer,
    always,
    zip,
    action?.kind === 'cutBody',
    done,
  );
}
