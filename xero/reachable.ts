import type { XeroApp } from '../model/xero-app.ts';
import { startDeadline } from './deadline.ts';
import { userAgent } from './transport.ts';

/** What became of asking one of Xero's hosts, without a token and without any organisation's quota. */
export interface HostAnswer {
  /** The variable that names it. */
  variable: 'XERO_API_URL' | 'XERO_IDENTITY_URL' | 'XERO_LOGIN_URL';
  url: string;
  /** Null when it answers as Xero does. */
  problem: string | null;
  /** Its clock by the header Date, which counts seconds; null when it did not say. */
  clock: number | null;
}

/**
 * Asks each host for what it answers to anybody: the discovery document, a 401 for /connections, the consent page's own
 * complaint. Which statuses are Xero's is in its xero-identity.yaml.
 */
export function askHosts(xero: XeroApp, timeoutMs: number): Promise<HostAnswer[]> {
  return Promise.all([
    ask('XERO_IDENTITY_URL', `${xero.identityUrl}/.well-known/openid-configuration`, timeoutMs, async (response) => {
      const { token_endpoint } = (await response.json()) as { token_endpoint?: unknown };
      return response.status === 200 && typeof token_endpoint === 'string';
    }),
    ask('XERO_API_URL', `${xero.apiUrl}/connections`, timeoutMs, ({ status }) => status === 401 || status === 403),
    ask('XERO_LOGIN_URL', `${xero.loginUrl}/identity/connect/authorize`, timeoutMs, ({ status }) => status < 500),
  ]);
}

async function ask(
  variable: HostAnswer['variable'],
  url: string,
  timeoutMs: number,
  isXeros: (response: Response) => boolean | Promise<boolean>,
): Promise<HostAnswer> {
  const deadline = startDeadline(timeoutMs);
  try {
    const headers = { accept: 'application/json', 'user-agent': userAgent };
    const response = await fetch(url, { redirect: 'manual', signal: deadline.signal, headers });
    const date = Date.parse(response.headers.get('date') ?? '');
    const fits = await Promise.resolve(isXeros(response)).catch(() => false);
    const problem = fits ? null : `answers ${response.status}, and not as Xero does`;
    return { variable, url, problem, clock: Number.isNaN(date) ? null : date };
  } catch (error) {
    const { cause } = error as Error & { cause?: Error & { code?: string } };
    const why = cause?.message || cause?.code || (error as Error).message;
    const problem = deadline.passed() ? `gave no answer within ${deadline.seconds} s` : `cannot be reached: ${why}`;
    return { variable, url, problem, clock: null };
  } finally {
    deadline.end();
  }
}
