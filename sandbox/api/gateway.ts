import type { ServerResponse } from 'node:http';
import type { Call, CallRecorder } from '../calls.ts';
import type { Clock } from '../clock.ts';
import { deliver, rateLimited } from '../delivery.ts';
import {
  authenticationUnsuccessful,
  authorizationUnsuccessful,
  methodNotAllowed,
  notFound,
  tenantForbidden,
  tokenExpired,
  xmlRefused,
} from '../dialects.ts';
import { type Answer, type Exchange, headerOf } from '../exchange.ts';
import type { FaultAction, FaultPlayer } from '../faults.ts';
import type { Authorisations } from '../identity/authorisations.ts';
import { deleteConnection, listConnections } from '../identity/connections.ts';
import type { Access, TokenMint } from '../identity/tokens.ts';
import type { LimitBook } from '../limits.ts';
import type { Organisation } from './organisation.ts';
import { checkParameters, checks, isUuid } from './parameters.ts';
import { ROUTES } from './routes.ts';

export interface Gateway {
  readonly clock: Clock;
  readonly organisations: ReadonlyMap<string, Organisation>;
  readonly authorisations: Authorisations;
  readonly mint: TokenMint;
  readonly limits: LimitBook;
  readonly calls: CallRecorder;
  readonly faults: FaultPlayer;
  readonly premium: boolean;
  readonly zip: boolean;
  readonly latencyMs: () => number;
  /** Hears of every admitted call before its answer is made. */
  readonly heard: (call: Call) => void;
}

const API = '/api.xro/2.0/';
const NO_FAULT = { delays: [] };

/** The token's access, or what to answer instead. */
function accessOf(gateway: Gateway, exchange: Exchange): Access | Answer {
  const token = /^Bearer (\S+)$/.exec(headerOf(exchange, 'authorization') ?? '')?.[1];
  const checked = token === undefined ? { ok: false as const } : gateway.mint.check(token);
  if (checked.ok) return checked.access;
  return checked.expiredAt === undefined ? authenticationUnsuccessful() : tokenExpired(checked.expiredAt);
}

function begin(gateway: Gateway, exchange: Exchange, access: Access | Answer, tenantId: string | null) {
  const appId = 'status' in access ? null : access.clientId;
  return gateway.calls.begin({
    method: exchange.method,
    path: exchange.path,
    query: exchange.queryText,
    appId,
    tenantId,
    ifModifiedSince: headerOf(exchange, 'if-modified-since') ?? null,
    inFlight: appId === null || tenantId === null ? 0 : gateway.limits.inFlight(appId, tenantId) + 1,
  });
}

/** Answers a call under `/api.xro/2.0/`: who is it, may it, is there quota left, does a fault strike, and only then what it asks. */
export async function answerApi(gateway: Gateway, exchange: Exchange, response: ServerResponse): Promise<void> {
  const access = accessOf(gateway, exchange);
  const named = headerOf(exchange, 'xero-tenant-id') ?? ('status' in access ? undefined : access.tenantId);
  const call = begin(gateway, exchange, access, named ?? null);
  response.once('close', () => {
    call.endedAt = gateway.clock.wall();
  });
  const { limits, zip } = gateway;
  const now = gateway.clock.now();
  const refuse = (answer: Answer, always: Record<string, string> = {}): Promise<void> =>
    deliver(exchange, response, call, () => answer, NO_FAULT, { always, zip, now });

  if (exchange.method !== 'GET') return refuse({ ...methodNotAllowed(), headers: { allow: 'GET' } });
  if (!(headerOf(exchange, 'accept') ?? '').includes('application/json')) return refuse(xmlRefused());
  if ('status' in access) return refuse(access);
  const organisation = named === undefined ? undefined : gateway.organisations.get(named.toLowerCase());
  if (!organisation || !mayReach(gateway, access, organisation.tenantId)) return refuse(tenantForbidden());

  const { clientId } = access;
  const { tenantId } = organisation;
  const verdict = limits.take(clientId, tenantId);
  if (!verdict.admitted) {
    call.problem = verdict.problem;
    if (verdict.retryAfter !== undefined) gateway.calls.named(call, verdict.retryAfter);
    return refuse(rateLimited(verdict.problem, verdict.retryAfter), limits.headers(clientId, tenantId));
  }
  let held = true;
  const release = (): void => {
    if (held) limits.release(clientId, tenantId);
    held = false;
  };
  response.once('close', release);
  const struck = gateway.faults.strike(exchange, tenantId);
  if (struck.action?.kind === 'rateLimited') {
    limits.refund(clientId, tenantId);
    call.problem = struck.action.problem;
    if (typeof struck.action.retryAfter === 'number') gateway.calls.named(call, struck.action.retryAfter);
  }
  const always = limits.headers(clientId, tenantId);
  return deliver(
    exchange,
    response,
    call,
    () => {
      gateway.heard(call);
      return respond(gateway, exchange, access, organisation, struck.action);
    },
    struck,
    {
      always,
      zip,
      latencyMs: gateway.latencyMs(),
      now,
      done: release,
    },
  );
}

function mayReach(gateway: Gateway, access: Access, tenantId: string): boolean {
  if (access.userId === undefined) return access.tenantId === tenantId;
  return gateway.authorisations.isConnected(access.clientId, access.userId, tenantId);
}

function respond(
  gateway: Gateway,
  exchange: Exchange,
  access: Access,
  organisation: Organisation,
  action?: FaultAction,
): Answer {
  const rest = exchange.path.slice(API.length);
  for (const route of ROUTES) {
    const match = route.pattern.exec(rest);
    if (!match) continue;
    if (!route.scopes.some((scope) => access.scopes.includes(scope))) return authorizationUnsuccessful();
    if (route.premium && !gateway.premium) return authorizationUnsuccessful();
    const wrong = checkParameters(exchange.query, route.parameters);
    const bent = action?.kind === 'page' ? { bent: action } : {};
    return (
      wrong ?? route.answer({ exchange, organisation, captured: match[1] ?? '', now: gateway.clock.now(), ...bent })
    );
  }
  return notFound();
}

/** Answers `/connections` and `/connections/{id}`: outside any tenant, so only the app's minute limit counts. */
export async function answerConnections(gateway: Gateway, exchange: Exchange, response: ServerResponse): Promise<void> {
  const access = accessOf(gateway, exchange);
  const call = begin(gateway, exchange, access, null);
  response.once('close', () => {
    call.endedAt = gateway.clock.wall();
  });
  const { zip } = gateway;
  const now = gateway.clock.now();
  if ('status' in access) return deliver(exchange, response, call, () => access, NO_FAULT, { zip, now });
  const verdict = gateway.limits.takeApp(access.clientId);
  const always = gateway.limits.appHeaders(access.clientId);
  if (!verdict.admitted) {
    call.problem = verdict.problem;
    return deliver(exchange, response, call, () => rateLimited(verdict.problem), NO_FAULT, { always, zip, now });
  }
  const struck = gateway.faults.strike(exchange, null);
  const work = (): Answer => {
    const id = /^\/connections\/([^/]+)$/i.exec(exchange.path)?.[1];
    if (id !== undefined) {
      if (exchange.method !== 'DELETE') return { ...methodNotAllowed(), headers: { allow: 'DELETE' } };
      return isUuid(id) ? deleteConnection(gateway.authorisations, access, id.toLowerCase()) : notFound();
    }
    if (exchange.method !== 'GET') return { ...methodNotAllowed(), headers: { allow: 'GET' } };
    const wrong = checkParameters(exchange.query, { authEventId: checks.uuids });
    if (wrong) return wrong;
    const nameOf = (tenantId: string): string => gateway.organisations.get(tenantId)?.name ?? '';
    return listConnections(gateway.authorisations, access, nameOf, exchange.query.get('authEventId'));
  };
  return deliver(exchange, response, call, work, struck, { always, zip, latencyMs: gateway.latencyMs(), now });
}
