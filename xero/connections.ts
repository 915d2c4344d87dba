import { z } from 'zod';
import { plainLine } from '../model/plain-line.ts';
import { startDeadline } from './deadline.ts';
import { type Asked, badBody, factsOf, type Heard, readFault, silence } from './errors.ts';
import type { FaultFacts, XeroFault } from './faults.ts';
import { type Secret, scrub } from './secret.ts';
import { userAgent } from './transport.ts';

/** One organisation (or practice) that the authorisation reaches. Source: Xero's xero-identity.yaml, Connection. */
export interface XeroConnection {
  /** The connection's id, which DELETE names; not the tenant's. */
  id: string;
  tenantId: string;
  /** ORGANISATION, or PRACTICE / PRACTICEMANAGER, which have no ledger. */
  tenantType: string;
  tenantName: string;
  /** Which consent made it: the claim `authentication_event_id` of that consent's access token; null when not sent. */
  authEventId: string | null;
  /** When it was first made, by Xero's clock: milliseconds since 1970; null when not sent. */
  createdAt: number | null;
}

export type ConnectionsAnswer =
  | ({ kind: 'answered'; connections: XeroConnection[] } & Omit<FaultFacts, 'message'>)
  | XeroFault;
export type DeletedAnswer = { kind: 'deleted' } | XeroFault;

interface Ask {
  accessToken: Secret;
  signal?: AbortSignal | undefined;
}

const id = z.string().regex(/^\P{Cc}+$/u);
const list = z.array(
  z.object({
    id,
    tenantId: id,
    tenantType: z.string().default('ORGANISATION'),
    tenantName: z.string().nullish(),
    authEventId: id.nullish(),
    createdDateUtc: z.string().nullish(),
  }),
);

/**
 * GET and DELETE /connections, which xero-node offers only at Xero's own host. No organisation's quota is spent, only the
 * app's (X-AppMinLimit-Remaining; XeroAPI/xero-ruby#128). Faults are values as in `createXeroApi`.
 */
export function createConnections({ apiUrl, timeoutMs = 60_000, now }: ConnectionsOptions) {
  async function send(method: 'GET' | 'DELETE', path: string, ask: Ask, asked: Asked): Promise<Heard | XeroFault> {
    ask.signal?.throwIfAborted();
    const deadline = startDeadline(timeoutMs, ask.signal);
    try {
      const response = await fetch(`${apiUrl}${path}`, {
        method,
        redirect: 'manual',
        signal: deadline.signal,
        headers: {
          authorization: `Bearer ${ask.accessToken.reveal()}`,
          accept: 'application/json',
          'user-agent': userAgent,
        },
      });
      const text = scrub(await response.text(), ask.accessToken);
      const headers: Record<string, string> = {};
      for (const [name, value] of response.headers) headers[name] = scrub(value, ask.accessToken);
      return { status: response.status, headers, text };
    } catch (error) {
      ask.signal?.throwIfAborted();
      if (deadline.passed()) return silence('timeout', `no whole answer came within ${deadline.seconds} s`, asked);
      return silence('network', scrub(readCause(error), ask.accessToken), asked);
    } finally {
      deadline.end();
    }
  }

  return {
    /** Every organisation that the authorising user ever gave to this app, by whichever consent. */
    async list(ask: Ask): Promise<ConnectionsAnswer> {
      const asked = { resource: 'connections', subject: 'the authorisation' };
      const heard = await send('GET', '/connections', ask, asked);
      if ('kind' in heard) return heard;
      if (heard.status !== 200) return readFault(heard, asked, now());
      const parsed = list.safeParse(parse(heard.text));
      if (!parsed.success) return badBody(heard, 'it is not a list of connections', asked);
      const connections = parsed.data.map(({ tenantName, authEventId, createdDateUtc, ...rest }) => ({
        ...rest,
        tenantName: plainLine(tenantName ?? '') || rest.tenantId,
        authEventId: authEventId ?? null,
        createdAt: readInstant(createdDateUtc ?? ''),
      }));
      return { kind: 'answered', connections, ...factsOf(heard.headers) };
    },
    /** Ends one connection at Xero, where it counts (and costs) until then. One that is gone already counts as deleted. */
    async remove(ask: Ask & { id: string }): Promise<DeletedAnswer> {
      const asked = { resource: 'connections', subject: `the connection ${ask.id}` };
      const heard = await send('DELETE', `/connections/${encodeURIComponent(ask.id)}`, ask, asked);
      if ('kind' in heard) return heard;
      const { status } = heard;
      if ((status >= 200 && status < 300) || status === 404) return { kind: 'deleted' };
      return readFault(heard, asked, now());
    },
  };
}

export interface ConnectionsOptions {
  apiUrl: string;
  timeoutMs?: number;
  now: () => number;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** UTC, which Xero writes without saying so: `2019-12-07T18:46:19.5165400`. */
function readInstant(text: string): number | null {
  const instant = Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(instant) ? null : instant;
}

/** fetch says only "fetch failed"; what failed is in its cause. */
function readCause(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : 'unknown fault';
}
