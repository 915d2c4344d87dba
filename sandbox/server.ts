import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerApi, answerConnections, type Gateway } from './api/gateway.ts';
import { type Call, callLog } from './calls.ts';
import { startClock } from './clock.ts';
import { answerControl } from './control.ts';
import { notFound } from './dialects.ts';
import { editing } from './editing.ts';
import { type Answer, exchangeOf } from './exchange.ts';
import { faultScript } from './faults.ts';
import { authorisations } from './identity/authorisations.ts';
import { authorizeEndpoint } from './identity/authorize.ts';
import { answerIdentity, type IdentityServer, isIdentityPath } from './identity/endpoints.ts';
import { signingKey } from './identity/keys.ts';
import { loadState, saveState } from './identity/state.ts';
import { type TokenEvent, type TokenRules, tokenEndpoint } from './identity/token-endpoint.ts';
import { tokenMint } from './identity/tokens.ts';
import { limitBook } from './limits.ts';
import { listenOnLoopback } from './listening.ts';
import {
  DEFAULT_CLIENTS,
  DEFAULT_JOURNALS,
  DEFAULT_LIFETIMES,
  DEFAULT_REDIRECT_URIS,
  DEFAULT_SCOPES,
  type SandboxOptions,
} from './options.ts';
import type { Sandbox } from './sandbox.ts';
import { seededUuid } from './seeded.ts';
import { makeOrganisations } from './world.ts';

export type { Organisation } from './api/organisation.ts';
export type { Call } from './calls.ts';
export type { Fault, FaultAction } from './faults.ts';
export type { SandboxOptions } from './options.ts';
export type { Sandbox } from './sandbox.ts';

function plain(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

const HOUR = 3_600_000;

/** The last midnight UTC that is six hours past: what is newer than that, importers look at twice. */
function lastMidnight(now: number): number {
  return Math.floor((now - 6 * HOUR) / (24 * HOUR)) * 24 * HOUR;
}

/** Starts a local Xero. Resolves when it answers; rejects when the port is taken or the state file cannot be read. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const seed = options.seed ?? 1;
  const clock = startClock(options.timeScale ?? 1);
  const print = options.print ?? ((line: string) => process.stderr.write(`${line}\n`));
  const state = loadState(options.stateFile);
  const { stateFile } = options;
  const save = stateFile === undefined ? undefined : () => saveState(stateFile, state);
  const key = signingKey(state.privateKey);
  state.privateKey = key.pem;
  state.booksNow = options.now?.getTime() ?? state.booksNow ?? lastMidnight(clock.wall());
  state.booksJournals = options.journals ?? state.booksJournals ?? DEFAULT_JOURNALS;
  save?.();

  const organisations = makeOrganisations({ ...options, journals: state.booksJournals }, state.booksNow, clock);
  const clients = options.clients ?? DEFAULT_CLIENTS;
  const scopes = options.scopes ?? DEFAULT_SCOPES;
  const lifetimes = { ...DEFAULT_LIFETIMES, ...options.lifetimes };
  const zip = options.gzip ?? true;
  const userId = seededUuid(seed ^ 0x0e5e, 1);
  let latencyMs = options.latencyMs ?? 0;
  let url = '';

  const calls = callLog(options.callLogSize ?? 200_000, clock.wall, clock.now);
  const faults = faultScript(seed, print);
  const tier = options.tier ?? 'advanced';
  const limits = limitBook(clock, { ...(tier === 'starter' ? { day: 1000 } : {}), ...options.limits });
  const held = authorisations(state, clock, save);
  const mint = tokenMint(() => url, key, clock, lifetimes, held);
  const events: TokenEvent[] = [];
  const rules: TokenRules = {
    clients,
    scopes,
    lifetimes,
    grace: options.grace ?? 'sibling',
    reuseKillsAuthorisation: options.reuseKillsAuthorisation ?? false,
    firstTenantId: organisations[0]?.tenantId ?? '',
  };
  const authorize = authorizeEndpoint(
    {
      clients,
      scopes,
      redirectUris: options.redirectUris ?? DEFAULT_REDIRECT_URIS,
      allowAnyLoopbackRedirect: options.allowAnyLoopbackRedirect ?? true,
      codeSeconds: lifetimes.code,
      organisations,
      userId,
    },
    clock,
    held,
  );
  const people = editing(organisations, print);
  people.set(options.editsPerPage ?? 0, seed);
  const listeners = new Set<(call: Call) => void>();
  const gateway: Gateway = {
    clock,
    organisations: new Map(organisations.map((each) => [each.tenantId, each])),
    authorisations: held,
    mint,
    limits,
    calls,
    faults,
    premium: ['advanced', 'enterprise'].includes(tier),
    zip,
    latencyMs: () => latencyMs,
    heard(call) {
      people.hear(call);
      for (const listener of listeners) listener(call);
    },
  };
  const identity: IdentityServer = {
    url: () => url,
    clock,
    calls,
    faults,
    zip,
    clients,
    scopes,
    key,
    authorisations: held,
    authorize,
    token: tokenEndpoint(rules, clock, held, mint, (event) => events.push(event)),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = exchangeOf(request);
    if (exchange.path.startsWith('/api.xro/2.0/')) return answerApi(gateway, exchange, response);
    if (/^\/connections(\/|$)/i.test(exchange.path)) return answerConnections(gateway, exchange, response);
    if (isIdentityPath(exchange.path)) return answerIdentity(identity, exchange, response);
    if (/^\/sandbox(\/|$)/.test(exchange.path)) return plain(response, await answerControl(sandbox, exchange));
    plain(response, notFound());
  }

  const listening = await listenOnLoopback((request, response) => {
    answer(request, response).catch((error: unknown) => {
      // A fault of the sandbox itself must not look like one of Xero's: 599 and the reason.
      print(
        `sandbox: ${request.method} ${request.url?.split('?')[0]}: ${error instanceof Error ? error.stack : String(error)}`,
      );
      if (response.headersSent) response.destroy();
      else plain(response, { status: 599, body: String(error) });
    });
  }, options.port ?? 0);
  url = `http://127.0.0.1:${listening.port}`;
  const [first] = clients;

  const sandbox: Sandbox = {
    url,
    apiUrl: url,
    identityUrl: url,
    loginUrl: url,
    clientId: first?.clientId ?? '',
    clientSecret: first?.clientSecret ?? '',
    organisations,
    calls,
    faults,
    limits,
    tokens: {
      get calls() {
        return events.length;
      },
      get refreshes() {
        return events.filter((each) => each.grantType === 'refresh_token' && each.outcome === 'ok').length;
      },
      get accessTokens() {
        return mint.issued;
      },
      events: () => [...events],
      expireAccessTokens: () => mint.expireAll(),
      revoke(authEventId) {
        for (const each of held.all())
          if (authEventId === undefined || each.authEventId === authEventId) held.revoke(each);
      },
      mint(wanted = {}) {
        const authorisation = held.grant({
          clientId: first?.clientId ?? '',
          userId: wanted.userId ?? userId,
          scopes: wanted.scopes ?? [...scopes],
          tenantIds: wanted.tenantIds ?? organisations.map((each) => each.tenantId),
        });
        return { ...mint.issue(authorisation), authEventId: authorisation.authEventId };
      },
      setGrace(variant) {
        rules.grace = variant;
      },
    },
    consent(authorizeUrl, choice = {}) {
      const target = new URL(authorizeUrl);
      const decided = authorize.decide(target.searchParams, target.search.slice(1), {
        allow: choice.deny !== true,
        tenantIds: choice.tenantIds ?? organisations.map((each) => each.tenantId),
        ...(choice.userId === undefined ? {} : { userId: choice.userId }),
      });
      const location = decided.headers?.location;
      if (location === undefined) throw new Error(`The sandbox refused this authorize address: ${authorizeUrl}`);
      return location;
    },
    onCall(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    setEdits: (perPage, own = seed) => people.set(perPage, own),
    disconnect: (tenantId) => held.disconnectTenant(tenantId),
    advance: (realSeconds) => clock.advance(realSeconds * 1000),
    setLatency(ms) {
      latencyMs = ms;
    },
    close: () => listening.close(),
  };
  return sandbox;
}
