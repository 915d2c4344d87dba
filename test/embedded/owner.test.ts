import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { setpriv } from '../../embedded/launch.ts';
import { takeLock } from '../../embedded/lock.ts';
import { identify } from '../../embedded/process-table.ts';
import { startTemporal } from '../../embedded/temporal.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { provided } from '../support/provided.ts';
import { eventually, isAlive, query, startOrphanWorkflow, statusOf } from './probes.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'daybook-owner-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

interface Servers {
  url: string;
  postgres: number;
  address: string;
  temporal: number;
}

async function startOwner(): Promise<{ owner: TestProcess; servers: Servers }> {
  const owner = runProcess('test/embedded/stack-process.ts', { args: [dataDir, provided('temporalExecutable')] });
  const line = await owner.line(/^ready /, 60_000);
  return { owner, servers: JSON.parse(line.slice('ready '.length)) as Servers };
}

describe('when the process that started the servers is killed', () => {
  it('they end with it where the system can do that, and the next one has the data', async () => {
    const first = await startOwner();
    await query(first.servers.url, 'CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)');
    await startOrphanWorkflow(first.servers.address, 'kept');
    await first.owner.kill9();
    if (setpriv() !== undefined) {
      await eventually(() => !isAlive(first.servers.postgres) && !isAlive(first.servers.temporal));
    }
    const second = await startOwner();
    expect((await query(second.servers.url, 'SELECT n FROM kept')).rows).toEqual([{ n: 42 }]);
    expect(await statusOf(second.servers.address, 'kept')).toBe('RUNNING');

    expect(await second.owner.end('SIGTERM')).toBe(0);
    expect([second.servers.postgres, second.servers.temporal].map(isAlive)).toEqual([false, false]);
  });

  it('all killed at once, the pid in postmaster.pid taken by another program: the next start copes', async () => {
    const first = await startOwner();
    // Frozen first, so that the owner cannot bring a server back before it is killed itself.
    process.kill(first.owner.pid, 'SIGSTOP');
    process.kill(first.servers.postgres, 'SIGKILL');
    process.kill(first.servers.temporal, 'SIGKILL');
    await first.owner.kill9();
    const file = join(dataDir, 'postgres/postmaster.pid');
    expect(existsSync(file)).toBe(true);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^\d+/, String(process.pid)));

    const second = await startOwner();
    expect((await query(second.servers.url, 'SELECT n FROM kept')).rows).toEqual([{ n: 42 }]);
    await second.owner.end('SIGTERM');
  });
});

it('a server left running where nothing ends it with its owner is stopped before a new one starts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-left-'));
  const left = spawn('sleep', ['600'], { stdio: 'ignore' });
  const child = identify(left.pid ?? 0);
  const state = { owner: { pid: 2 ** 22 - 1, started: '1' }, child, port: 1 };
  writeFileSync(join(folder, 'temporal.json'), JSON.stringify(state));
  const lines: string[] = [];
  const start = startTemporal({ dataDir: folder, executable: '/bin/false', onLine: (line) => lines.push(line) });
  await expect(start).rejects.toThrow(/ended while starting/);
  expect(identify(left.pid ?? 0)).toBeUndefined();
  expect(lines.join()).toContain('left running by a process that was killed');
  rmSync(folder, { recursive: true });
});

describe('a lock', () => {
  const file = join(dataDir, 'a.lock');

  it('is held by one at a time, and names its holder', () => {
    const first = takeLock(file);
    expect(first.held).toBe(true);
    const second = takeLock(file);
    expect(second).toMatchObject({ held: false, owner: { pid: process.pid } });
    if (first.held) first.release();
    const third = takeLock(file);
    expect(third.held).toBe(true);
    if (third.held) third.release();
  });

  it('of a process that is gone, or whose pid another process has now, is taken over', () => {
    for (const stale of [
      { pid: 2 ** 22 - 1, started: '1' },
      { pid: process.pid, started: 'long ago' },
      'no identity',
    ]) {
      writeFileSync(file, JSON.stringify(stale));
      const lock = takeLock(file);
      expect(lock.held).toBe(true);
      if (lock.held) lock.release();
    }
  });
});
