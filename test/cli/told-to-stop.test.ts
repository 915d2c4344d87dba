import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../embedded/probes.ts';
import { untilPages } from '../support/crash.ts';
import { freePort } from '../support/free-port.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { type Stand, startStand } from '../support/stand.ts';
import { processesOf, upEnvironment } from '../support/up.ts';

/** Far longer than everything else that a page takes, so that a page is in flight nearly always. */
const latencyMs = 2_500;

describe('Told to stop in the middle of an import', { timeout: 90_000 }, () => {
  let stand: Stand;
  let dataDir: string;
  beforeAll(async () => {
    stand = await startStand({ worker: false, sandbox: { journals: 20_000, contiguous: true, latencyMs } });
    dataDir = stand.environment.DAYBOOK_DATA_DIR ?? '';
    // Goes on with whichever worker there is.
    await stand.imports.startJournals({ connection: stand.connection, application: 'planning' });
  });
  afterAll(() => stand.close());

  async function running(command: 'up' | 'worker', ready: RegExp, act: (started: TestProcess) => Promise<void>) {
    const env = { ...stand.environment, DAYBOOK_LOG_LEVEL: 'info', DAYBOOK_WEB_PORT: String(await freePort()) };
    const started = runProcess('bin/daybook.mjs', { args: [command], env, inTerminal: true });
    try {
      await started.line(ready, 60_000);
      await act(started);
    } finally {
      await started.kill9();
    }
  }

  const pages = async () => {
    const { rows } = await stand.database.pool.query('select count(*)::int as n from daybook.page_receipt');
    return rows[0].n as number;
  };

  /** Resolves in the middle of a page, with the number of those before it. */
  async function inFlight(): Promise<number> {
    await untilPages(stand.database.pool, (await pages()) + 1);
    await sleep(500);
    return pages();
  }

  test.each([
    { who: 'up', ready: /^The worker is ready/, by: 'Ctrl-C' },
    { who: 'worker', ready: /"the worker is ready"/, by: 'SIGTERM' },
  ] as const)('$who, by $by, which may come twice at once: the page in flight is finished', ({ who, ready, by }) =>
    running(who, ready, async (started) => {
      const before = await inFlight();
      const stop = () => (by === 'Ctrl-C' ? started.ctrlC() : process.kill(started.pid, by));
      stop();
      // npx hands on what the terminal has sent to all already.
      await sleep(20);
      stop();
      expect(await started.exited).toBe(0);
      expect(await pages()).toBeGreaterThan(before);
      expect(processesOf(dataDir)).toEqual([]);
    }),
  );

  test('Ctrl-C again, a while later: it ends at once, and its worker with it', () =>
    running('up', /^The worker is ready/, async (up) => {
      await inFlight();
      stand.sandbox.setLatency(20_000);
      await inFlight();
      up.ctrlC();
      await sleep(1_500);
      up.ctrlC();
      expect(await up.exited).toBe(130);
      await eventually(() => processesOf(dataDir).length === 0, 3_000);
    }));
});

describe('Stopped before it is up, nothing of it is left', { timeout: 60_000 }, () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'daybook-stopped-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  const start = (command: 'up' | 'demo', env: Record<string, string> = {}) =>
    runProcess('bin/daybook.mjs', { args: [command], env: { ...upEnvironment(dataDir), ...env }, inTerminal: true });
  const nothingLeft = () => eventually(() => processesOf(dataDir).length === 0, 15_000);

  test('by kill -9, when its worker has only just been started', async () => {
    const up = start('up');
    await eventually(() => processesOf(dataDir).some((process) => process.includes('daybook.mjs worker')), 30_000);
    await up.kill9();
    await nothingLeft();
  });

  test('by Ctrl-C, at its first line', async () => {
    const up = start('up');
    await up.line(/^Starting/);
    up.ctrlC();
    const ended = await up.exited;
    await nothingLeft();
    expect(ended).toBe(0);
  });

  // Which is as good as the build with Go that comes after it: both are sessions of their own, which the terminal does not reach.
  test.each([
    { who: 'up', by: 'SIGINT', code: 0 },
    { who: 'up', by: 'SIGHUP', code: 0 },
    { who: 'demo', by: 'SIGTERM', code: 130 },
  ] as const)('$who, by $by, while the Temporal server is downloaded', async ({ who, by, code }) => {
    const silent = createServer(() => undefined);
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const proxy = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const started = start(who, { PATH: dataDir, HTTPS_PROXY: proxy, https_proxy: proxy });
    await started.line(/downloading it/, 60_000);
    await once(silent, 'connection');
    const ended = await started.end(by);
    await nothingLeft();
    expect(ended).toBe(code);
    silent.close();
  });

  test('demo, by Ctrl-C in the middle of its import', async () => {
    const demo = start('demo');
    await demo.line(/^Started the workflow/, 60_000);
    await eventually(() => processesOf(dataDir).some((process) => process.includes('daybook.mjs worker')));
    demo.ctrlC();
    const ended = await demo.exited;
    await nothingLeft();
    expect(ended).toBe(130);
  });
});
