import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AccountingApi } from 'xero-node/dist/gen/api/accountingApi.js';
import daybook from '../package.json' with { type: 'json' };
import { type Deadline, startDeadline } from './deadline.ts';
import type { Headers } from './limits.ts';
import { isLoopback } from './private-hosts.ts';
import { type Secret, scrub } from './secret.ts';
import { acceptedEncoding, unpack } from './unpack.ts';

export const userAgent = `daybook/${daybook.version}`;

export type Response =
  | { kind: 'heard'; status: number; headers: Headers; body: Buffer; text: string }
  | { kind: 'silent'; cause: 'network' | 'timeout' | 'badBody'; reason: string };

export interface Call {
  accessToken: Secret;
  tenantId: string;
  signal?: AbortSignal | undefined;
}

/** The parts of an axios request that are set; axios itself is xero-node's dependency, not ours. */
type RequestOptions = Parameters<AccountingApi['authentications']['default']['applyToRequest']>[0];
type HeardByAxios = { response: { status: number; headers: Record<string, unknown>; data: unknown } };

/**
 * xero-node's transport, tamed request by request. Its classes call the process-wide axios with options of their own,
 * but let an `Authentication` object see these options last; that is where a call gets its deadline, its agents and its
 * way of reading, so that nobody else's axios changes.
 *
 * - The answer stays bytes: xero-node's deserialiser is fed a buffer, finds nothing in it and drops nothing (it costs 4–6
 *   times JSON.parse and loses unknown fields; amounts would become doubles).
 * - Every status resolves here; xero-node otherwise rejects with a JSON string (xero-node#500, #741).
 * - A GET goes out without the `{}` that xero-node sends with it, as strict proxies object to it.
 */
export function createTransport(apiUrl: string, timeoutMs: number, maxBytes: number) {
  const agents = {
    httpAgent: new HttpAgent({ keepAlive: true }),
    httpsAgent: new HttpsAgent({ keepAlive: true }),
  };
  // Loaded here: what never calls Xero's API starts faster without its 143 files.
  const xeroNode = import('xero-node/dist/gen/api/accountingApi.js');

  async function send(call: Call, ask: (api: AccountingApi) => Promise<unknown>): Promise<Response> {
    const { AccountingApi } = await xeroNode;
    call.signal?.throwIfAborted();
    const deadline = startDeadline(timeoutMs, call.signal);
    // One instance for each call: its access token is mutable state, and two organisations' must never meet.
    const api = new AccountingApi(`${apiUrl}/api.xro/2.0`);
    api.accessToken = call.accessToken.reveal();
    api.setDefaultAuthentication({
      applyToRequest(options: RequestOptions) {
        delete options.data;
        options.headers = { ...options.headers, 'user-agent': userAgent, 'accept-encoding': acceptedEncoding };
        // A custom connection covers one organisation and is asked without naming it.
        if (call.tenantId === '') delete (options.headers as Record<string, unknown>)['xero-tenant-id'];
        Object.assign(options, agents, {
          signal: deadline.signal,
          responseType: 'arraybuffer',
          transformResponse: (data: unknown) => data,
          validateStatus: () => true,
          maxRedirects: 0,
          maxContentLength: maxBytes,
          // Done here, see `unpack`.
          decompress: false,
        });
        if (isLoopback(apiUrl)) options.proxy = false;
      },
    });
    try {
      return await heard((await ask(api)) as HeardByAxios, call.accessToken, maxBytes);
    } catch (fault) {
      call.signal?.throwIfAborted();
      return isHeard(fault) ? heard(fault, call.accessToken, maxBytes) : silent(fault, deadline, call.accessToken);
    } finally {
      deadline.end();
    }
  }

  function close(): void {
    agents.httpAgent.destroy();
    agents.httpsAgent.destroy();
  }

  return { send, close };
}

function isHeard(fault: unknown): fault is HeardByAxios {
  return typeof fault === 'object' && fault !== null && 'response' in fault;
}

async function heard({ response }: HeardByAxios, accessToken: Secret, maxBytes: number): Promise<Response> {
  const { status, data } = response;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    headers[name.toLowerCase()] = scrub(String(value), accessToken);
  }
  let body: Buffer = Buffer.alloc(0);
  try {
    if (Buffer.isBuffer(data)) body = withoutMark(await unpack(data, headers['content-encoding'] ?? '', maxBytes));
  } catch (fault) {
    const reason = `the answer could not be unpacked: ${fault instanceof Error ? fault.message : 'unknown fault'}`;
    // A fault says what it is by its status, too.
    if (status < 300) return { kind: 'silent', cause: 'badBody', reason };
  }
  return {
    kind: 'heard',
    status,
    headers,
    body,
    // Made when asked for: a page's is not.
    get text() {
      return status < 300 ? body.toString() : scrub(body.toString(), accessToken);
    },
  };
}

const byteOrderMark = Buffer.from('\ufeff');

/** Neither JSON.parse nor Postgres takes a byte order mark, which some proxies put in front. */
function withoutMark(data: Buffer): Buffer {
  return data.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? data.subarray(byteOrderMark.length) : data;
}

/** xero-node rejects with a JSON string: statusCode 0 and a message, or 200 when the connection broke inside the body. */
function silent(fault: unknown, deadline: Deadline, accessToken: Secret): Response {
  if (deadline.passed()) {
    return { kind: 'silent', cause: 'timeout', reason: `no whole answer came within ${deadline.seconds} s` };
  }
  const { statusCode, body } = readRejection(fault);
  const reason = scrub(String(body).slice(0, 300), accessToken);
  if (statusCode >= 200) {
    return { kind: 'silent', cause: 'badBody', reason: `the connection broke inside the answer (${reason})` };
  }
  return { kind: 'silent', cause: 'network', reason };
}

function readRejection(fault: unknown): { statusCode: number; body: unknown } {
  if (typeof fault !== 'string')
    return { statusCode: 0, body: fault instanceof Error ? fault.message : 'unknown fault' };
  try {
    const { response, body } = JSON.parse(fault) as { response: { statusCode: number }; body: unknown };
    return { statusCode: response.statusCode, body };
  } catch {
    return { statusCode: 0, body: 'unreadable fault' };
  }
}
