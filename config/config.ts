import { isIPv4, isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { isSafeAddress, isThisMachine } from '../model/safe-address.ts';
import type { XeroApp } from '../model/xero-app.ts';
import { variables } from './variables.ts';

/** The environment, checked. What is null is not configured and has a local stand-in. */
export interface Config {
  databaseUrl: string | null;
  /** Whether a Temporal server is configured, by variables or by temporal.toml; @temporalio/envconfig reads which. */
  temporalConfigured: boolean;
  taskQueue: string;
  /** Null: the local sandbox stands in for Xero. */
  xero: XeroApp | null;
  /** Absolute. */
  dataDir: string;
  tokenKeys: string | null;
  /** Where Xero sends the admin back to, also from the sandbox. */
  redirectUri: string;
  web: WebSettings;
  /** Where a worker shows its metrics, IP:port. */
  metricsAddress: string | null;
  logLevel: LogLevel;
}

/** Where the connect page is, and who may open it. */
interface WebSettings {
  /** An address to listen on; `localhost` means both of this machine's own. */
  host: string;
  /** 0: any that is free. */
  port: number;
  /** Whether somebody asked for this port, who counts on it. */
  isPortChosen: boolean;
  /** Where browsers find it, when not at the host's port. */
  origin: string | null;
  password: string | null;
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export type Environment = Readonly<Record<string, string | undefined>>;

/** Thrown when the environment is wrong; its message names every problem, one a line. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

const address = z
  .string()
  .refine((text) => isSafeAddress(text), { error: 'must be an https:// address (http:// on this machine only)' });

/** Whether it is safe depends on XERO_ALLOW_HTTP. */
const xeroHost = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text) => text.replace(/\/+$/, ''));

const xeroHosts = ['XERO_API_URL', 'XERO_IDENTITY_URL', 'XERO_LOGIN_URL'] as const;

const schema = z.object({
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, { error: 'must be a postgres:// address' })
    .optional(),
  TEMPORAL_TASK_QUEUE: z.string().default(variables.TEMPORAL_TASK_QUEUE.default),
  XERO_CLIENT_ID: z.string().optional(),
  XERO_CLIENT_SECRET: z.string().optional(),
  // Kept to the letter: Xero compares it with the one registered.
  XERO_REDIRECT_URI: address.optional(),
  XERO_SCOPES: z.string().default(variables.XERO_SCOPES.default),
  XERO_API_URL: xeroHost(variables.XERO_API_URL.default),
  XERO_IDENTITY_URL: xeroHost(variables.XERO_IDENTITY_URL.default),
  XERO_LOGIN_URL: xeroHost(variables.XERO_LOGIN_URL.default),
  XERO_ALLOW_HTTP: z.enum(['true', 'false'], { error: 'must be true or false' }).default('false'),
  DAYBOOK_DATA_DIR: z.string().default(variables.DAYBOOK_DATA_DIR.default),
  DAYBOOK_TOKEN_KEYS: z.string().optional(),
  DAYBOOK_WEB_PORT: z.coerce
    .number({ error: 'must be a port number' })
    .int()
    .min(0)
    .max(65_535, { error: 'must be a port number' })
    .default(Number(variables.DAYBOOK_WEB_PORT.default)),
  DAYBOOK_WEB_HOST: z.string().default(variables.DAYBOOK_WEB_HOST.default),
  DAYBOOK_WEB_ORIGIN: address
    .refine((text) => !URL.canParse(text) || new URL(text).origin === text, {
      error: 'must be an origin such as https://daybook.example.com, without a path',
    })
    .optional(),
  DAYBOOK_WEB_PASSWORD: z.string().min(12, { error: 'must have 12 characters or more' }).optional(),
  DAYBOOK_METRICS_ADDRESS: z
    .string()
    .refine(isListenAddress, { error: 'must be an IP address and a port, such as 127.0.0.1:9464' })
    .optional(),
  DAYBOOK_LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
});

/** Checks the environment. @throws ConfigurationError naming every variable that is wrong. */
export function loadConfig(environment: Environment): Config {
  // An empty variable (as compose files and .env templates leave them) means: not set.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const parsed = schema.safeParse(given);
  const ownHosts = xeroHosts.filter((name) => given[name]);
  const allowHttp = given.XERO_ALLOW_HTTP === 'true';
  const exception = allowHttp
    ? 'http:// is never allowed for Xero’s own hosts'
    : 'http:// on this machine only; XERO_ALLOW_HTTP=true allows it for a simulator of Xero in a private network';
  const problems = ownHosts
    .filter((name) => !isSafeAddress(given[name] ?? '', allowHttp))
    .map((name) => `${name} must be an https:// address (${exception}).`);
  if (!parsed.success)
    problems.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}.`));
  if (given.XERO_CLIENT_ID && !given.XERO_CLIENT_SECRET) {
    problems.push('XERO_CLIENT_SECRET is missing: XERO_CLIENT_ID is set, and Xero asks for both.');
  }
  if (given.XERO_CLIENT_SECRET && !given.XERO_CLIENT_ID) {
    problems.push('XERO_CLIENT_ID is missing: XERO_CLIENT_SECRET is set, and Xero asks for both.');
  }
  if (!given.XERO_CLIENT_ID && !given.XERO_CLIENT_SECRET && ownHosts.length > 0) {
    problems.push(
      `XERO_CLIENT_ID is missing, though ${ownHosts.join(', ')} ${ownHosts.length === 1 ? 'names' : 'name'} a Xero to speak to.`,
    );
  }
  const temporalConfigured = Boolean(given.TEMPORAL_ADDRESS ?? given.TEMPORAL_PROFILE ?? given.TEMPORAL_CONFIG_FILE);
  if (!temporalConfigured && (given.TEMPORAL_NAMESPACE ?? 'default') !== 'default') {
    problems.push(
      `TEMPORAL_NAMESPACE is "${given.TEMPORAL_NAMESPACE}", but the embedded Temporal has only "default". Leave it out, or set TEMPORAL_ADDRESS to the server that has this namespace.`,
    );
  }
  if (!temporalConfigured && given.TEMPORAL_API_KEY) {
    problems.push(
      'TEMPORAL_API_KEY is set, but nothing names the server it is for. Set TEMPORAL_ADDRESS, or leave the key out for the embedded Temporal.',
    );
  }
  if (given.DAYBOOK_WEB_HOST && !isThisMachine(given.DAYBOOK_WEB_HOST)) {
    for (const name of ['DAYBOOK_WEB_PASSWORD', 'DAYBOOK_WEB_ORIGIN'].filter((each) => !given[each])) {
      problems.push(
        `${name} is missing: DAYBOOK_WEB_HOST is ${given.DAYBOOK_WEB_HOST}, which others can reach. Put a proxy with TLS before it.`,
      );
    }
  }
  if (!parsed.success || problems.length > 0) throw new ConfigurationError(problems.join('\n'));
  const env = parsed.data;
  const origin = env.DAYBOOK_WEB_ORIGIN ?? `http://localhost:${env.DAYBOOK_WEB_PORT}`;
  const redirectUri = env.XERO_REDIRECT_URI ?? `${origin}/oauth/callback`;
  return {
    databaseUrl: env.DATABASE_URL ?? null,
    temporalConfigured,
    taskQueue: env.TEMPORAL_TASK_QUEUE,
    xero: env.XERO_CLIENT_ID
      ? {
          clientId: env.XERO_CLIENT_ID,
          clientSecret: env.XERO_CLIENT_SECRET ?? '',
          redirectUri,
          scopes: env.XERO_SCOPES.split(/[\s,]+/).filter(Boolean),
          apiUrl: env.XERO_API_URL,
          identityUrl: env.XERO_IDENTITY_URL,
          loginUrl: env.XERO_LOGIN_URL,
          allowHttp,
        }
      : null,
    dataDir: resolve(env.DAYBOOK_DATA_DIR),
    tokenKeys: env.DAYBOOK_TOKEN_KEYS ?? null,
    redirectUri,
    web: {
      host: env.DAYBOOK_WEB_HOST,
      port: env.DAYBOOK_WEB_PORT,
      isPortChosen: given.DAYBOOK_WEB_PORT !== undefined,
      origin: env.DAYBOOK_WEB_ORIGIN ?? null,
      password: env.DAYBOOK_WEB_PASSWORD ?? null,
    },
    metricsAddress: env.DAYBOOK_METRICS_ADDRESS ?? null,
    logLevel: env.DAYBOOK_LOG_LEVEL,
  };
}

/** What to warn of where tokens are sent in the clear, as it is allowed; null where they are not. */
export function inTheClear(xero: Pick<XeroApp, 'apiUrl' | 'identityUrl' | 'loginUrl'> | null): string | null {
  if (xero === null) return null;
  const hosts = [...new Set([xero.apiUrl, xero.identityUrl, xero.loginUrl])].filter((each) => !isSafeAddress(each));
  if (hosts.length === 0) return null;
  return `WARNING: ${hosts.join(' and ')} ${hosts.length === 1 ? 'is' : 'are'} spoken to without TLS, as XERO_ALLOW_HTTP allows: whoever can listen on the way reads the tokens, the app’s secret and the books. That is for a simulator of Xero in a private network only.`;
}

/** IP:port, with an IPv6 address in brackets: the exporter knows no names. */
function isListenAddress(text: string): boolean {
  const [, six, four, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  return (isIPv6(six ?? '') || isIPv4(four ?? '')) && Number(port) > 0 && Number(port) <= 65_535;
}
