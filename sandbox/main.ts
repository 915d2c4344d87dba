import { parseArgs } from 'node:util';
import type { Limits } from './limits.ts';
import { startSandbox } from './server.ts';

// The sandbox as a process of its own: prints one line of JSON when it answers, ends on SIGTERM.

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    journals: { type: 'string' },
    invoices: { type: 'string' },
    'edits-per-page': { type: 'string' },
    seed: { type: 'string' },
    organisations: { type: 'string' },
    'day-limit': { type: 'string' },
    'day-window-seconds': { type: 'string' },
    'minute-limit': { type: 'string' },
    'app-minute-limit': { type: 'string' },
    'time-scale': { type: 'string' },
    'latency-ms': { type: 'string' },
    'state-file': { type: 'string' },
    tier: { type: 'string' },
    contiguous: { type: 'boolean' },
    'no-gzip': { type: 'boolean' },
  },
});

function number(name: keyof typeof values): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} is "${text}"; it must be a number, 0 or more.`);
  return value;
}

/** Leaves out what was not said, so that the sandbox's own defaults hold. */
function said<T extends object>(all: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const limits = said<Pick<Limits, 'day' | 'minute' | 'appMinute' | 'dayWindowSeconds'>>({
  day: number('day-limit'),
  minute: number('minute-limit'),
  appMinute: number('app-minute-limit'),
  dayWindowSeconds: number('day-window-seconds'),
});

const sandbox = await startSandbox({
  limits,
  ...said<{
    port: number;
    journals: number;
    invoices: number;
    editsPerPage: number;
    seed: number;
    organisations: number;
    timeScale: number;
    latencyMs: number;
    stateFile: string;
    tier: 'starter' | 'advanced';
    contiguous: boolean;
    gzip: boolean;
  }>({
    port: number('port'),
    journals: number('journals'),
    invoices: number('invoices'),
    editsPerPage: number('edits-per-page'),
    seed: number('seed'),
    organisations: number('organisations'),
    timeScale: number('time-scale'),
    latencyMs: number('latency-ms'),
    stateFile: values['state-file'],
    tier: values.tier as 'starter' | 'advanced' | undefined,
    contiguous: values.contiguous,
    gzip: values['no-gzip'] === true ? false : undefined,
  }),
});

const organisations = sandbox.organisations.map(({ tenantId, name, books }) => ({
  tenantId,
  name,
  journals: books.count,
}));
const { url, apiUrl, identityUrl, loginUrl, clientId, clientSecret } = sandbox;
console.log(JSON.stringify({ url, apiUrl, identityUrl, loginUrl, clientId, clientSecret, organisations }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void sandbox.close().then(() => process.exit(0));
  });
}
