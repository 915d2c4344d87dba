import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../sandbox/server.ts';
import { authorizeUrl, caller, refresh, sandboxFor } from './xero-client.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

async function startProcess(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, ['bin/run.mjs', 'sandbox/main.ts', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  if (!child.stdout) throw new Error('no output');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, ready: JSON.parse(line) };
}

const control = async (url: string, path: string, body?: unknown) => {
  const response = await fetch(
    `${url}/sandbox/${path}`,
    body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) },
  );
  // biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
  return { status: response.status, json: (await response.json()) as any };
};

describe('the sandbox as a process', () => {
  it('starts a million journals within 20 s, prints one line, is driven over HTTP, ends on SIGTERM', async () => {
    const began = Date.now();
    const { child, ready } = await startProcess(
      '--journals',
      '1000000',
      '--organisations',
      '2',
      '--day-limit',
      '50',
      '--day-window-seconds',
      '20',
    );
    expect(Date.now() - began).toBeLessThan(20_000);
    expect(ready).toMatchObject({
      clientId: 'daybook-sandbox',
      clientSecret: 'sandbox-secret',
      organisations: [{ name: 'Maple & Finch Ltd', journals: 1_000_000 }, {}],
    });
    const { url } = ready as { url: string };
    const localhost = url.replace('127.0.0.1', 'localhost');
    expect((await control(localhost, 'limits')).json).toMatchObject({
      day: 50,
      dayWindowSeconds: 20,
      dayAnchor: 'firstCall',
    });
    expect((await control(url, 'limits', { minute: 7 })).json.minute).toBe(7);

    const authorize = authorizeUrl({ loginUrl: url, clientId: 'daybook-sandbox' } as never);
    const { json } = await control(url, 'consent', { authorizeUrl: authorize });
    expect(new URL(json.redirect).searchParams.get('code')).toMatch(/\w+/);
    expect((await control(url, 'consent', { authorizeUrl: `${url}/identity/connect/authorize` })).status).toBe(400);

    const tenantId = ready.organisations[1].tenantId;
    const { numbers } = (await control(url, 'append', { tenantId, count: 2 })).json;
    const { numbers: special } = (await control(url, 'append', { tenantId, special: 'noLines' })).json;
    expect([...numbers, ...special]).toEqual([numbers[0], numbers[0] + 1, numbers[0] + 2]);
    const filter = `summary?tenantId=${tenantId}&from=${numbers[0]}`;
    expect((await control(url, filter)).json).toMatchObject({
      count: 3,
      lineCount: 4,
      debits: '200.00',
      credits: '200.00',
    });
    expect((await control(url, 'append', { journal: { lines: [{ account: '200', net: '1' }] } })).json.error).toContain(
      'does not balance',
    );

    expect(
      (await control(url, 'faults', { match: { path: 'Journals' }, do: { kind: 'problem500' } })).json,
    ).toHaveLength(1);
    expect((await control(url, 'calls')).json).toEqual([]);
    expect((await control(url, 'nothing')).status).toBe(404);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describe('a restarted sandbox', () => {
  it('has as many journals as it was begun with', async () => {
    const stateFile = join(mkdtempSync(join(tmpdir(), 'sandbox-')), 'state.json');
    await (await startSandbox({ stateFile, journals: 7 })).close();
    const again = await startSandbox({ stateFile });
    expect(again.organisations[0]?.books.count).toBe(7);
    await again.close();
  });

  it('still knows consents, refresh tokens, access tokens, its key and the same books', async () => {
    const stateFile = join(mkdtempSync(join(tmpdir(), 'sandbox-')), 'state.json');
    const options = { stateFile };
    const first = await sandboxFor(options);
    const tokens = first.tokens.mint();
    const written = (await caller(first, 0, tokens.access_token)('Journals')).json.Journals;
    const next = await refresh(first, tokens.refresh_token ?? '');
    expect(statSync(stateFile).mode & 0o777).toBe(0o600);
    await first.close();

    const second = await sandboxFor(options);
    const get = caller(second, 0, tokens.access_token);
    expect((await get('Journals')).json.Journals).toEqual(written);
    expect((await get('/connections')).json).toHaveLength(1);
    expect((await refresh(second, next.json.refresh_token)).status).toBe(200);
    expect((await refresh(second, tokens.refresh_token ?? '')).status).toBe(200);
    second.tokens.expireAccessTokens();
    expect((await get('Journals')).json.Detail).toContain('TokenExpired');
  });
});
