import { expect, test } from 'vitest';
import { ConfigurationError, inTheClear, loadConfig } from '../../config/config.ts';
import { daybook } from '../support/daybook.ts';
import { runProcess } from '../support/processes.ts';

const app = { XERO_CLIENT_ID: 'an-app', XERO_CLIENT_SECRET: 'a-secret' };
const allowed = { ...app, XERO_ALLOW_HTTP: 'true' };

function problemsOf(environment: Record<string, string>): string {
  try {
    loadConfig(environment);
    return '';
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}

test('http to another machine is refused, and the refusal says how to allow it', () => {
  for (const url of ['http://xero-sim:9100', 'http://host.docker.internal:9100', 'http://127.evil.example'])
    expect(problemsOf({ ...app, XERO_API_URL: url })).toMatch(
      /^XERO_API_URL must be an https:\/\/ address \(http:\/\/ on this machine only; XERO_ALLOW_HTTP=true allows it .*private network\)\.$/,
    );
  expect(problemsOf({ ...app, XERO_ALLOW_HTTP: 'false', XERO_API_URL: 'http://xero-sim:9100' })).not.toBe('');
  expect(problemsOf({ ...app, XERO_ALLOW_HTTP: 'yes' })).toBe('XERO_ALLOW_HTTP must be true or false.');
});

test('allowed, it is spoken to and warned of; what is safe is not', () => {
  const sim = 'http://xero-sim:9100';
  const { xero } = loadConfig({ ...allowed, XERO_API_URL: `${sim}/`, XERO_IDENTITY_URL: sim, XERO_LOGIN_URL: sim });
  expect(xero).toMatchObject({ apiUrl: sim, identityUrl: sim, allowHttp: true });
  expect(inTheClear(xero)).toMatch(
    /^WARNING: http:\/\/xero-sim:9100 is spoken to without TLS, as XERO_ALLOW_HTTP allows/,
  );
  expect(inTheClear(loadConfig({ ...allowed, XERO_API_URL: 'http://localhost:9100' }).xero)).toBeNull();
  expect(inTheClear(null)).toBeNull();
});

test.each(['http://api.xero.com', 'http://identity.xero.com:8080', 'http://XERO.com', 'http://api.xero.com.'])(
  'Xero itself is never spoken to without TLS: %s',
  (url) => {
    for (const name of ['XERO_API_URL', 'XERO_IDENTITY_URL', 'XERO_LOGIN_URL'])
      expect(problemsOf({ ...allowed, [name]: url })).toBe(
        `${name} must be an https:// address (http:// is never allowed for Xero’s own hosts).`,
      );
  },
);

test('neither a redirect address nor the connect page may be http elsewhere, nor may other protocols', () => {
  expect(problemsOf({ ...allowed, XERO_REDIRECT_URI: 'http://elsewhere/callback' })).toMatch(/^XERO_REDIRECT_URI must/);
  expect(problemsOf({ ...allowed, DAYBOOK_WEB_ORIGIN: 'http://elsewhere' })).toMatch(/^DAYBOOK_WEB_ORIGIN must/);
  expect(problemsOf({ ...allowed, XERO_API_URL: 'ftp://elsewhere' })).toMatch(/^XERO_API_URL must be an https/);
});

test('the worker warns at its start, and the doctor too', async () => {
  const keys = `k1:${Buffer.alloc(32, 3).toString('base64')}`;
  // Nothing is there: the warning comes before anything is reached.
  const nowhere = {
    DATABASE_URL: 'postgres://u@127.0.0.1:1/x',
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    DAYBOOK_TOKEN_KEYS: keys,
  };
  const sim = 'http://xero-sim.invalid:9100';
  const environment = { ...allowed, ...nowhere, XERO_API_URL: sim, XERO_IDENTITY_URL: sim, XERO_LOGIN_URL: sim };
  const doctor = await daybook(['doctor'], environment);
  expect(doctor.stdout).toMatch(/^well +configuration .*\n +WARNING: http:\/\/xero-sim\.invalid:9100 is spoken to/m);
  const worker = runProcess('bin/daybook.mjs', { args: ['worker'], env: environment });
  try {
    expect(await worker.line(/WARNING/, 60_000)).toMatch(
      /"level":40.*WARNING: http:\/\/xero-sim\.invalid:9100 is spoken/,
    );
  } finally {
    await worker.kill9();
  }
});
