import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, runningPostgres, startPostgres } from '../../embedded/postgres.ts';
import { type EmbeddedTemporal, runningTemporal, startTemporal } from '../../embedded/temporal.ts';
import { provided } from '../support/provided.ts';
import { eventually, isAlive, query, retentionDays, startOrphanWorkflow, statusOf } from './probes.ts';

/** mkdtemp makes it 0700: as root this is also the test that Postgres reaches a folder only root may enter. */
const dataDir = mkdtempSync(join(tmpdir(), 'daybook-servers-'));
const lines: string[] = [];
const onLine = (line: string) => lines.push(line);

const startOnlyTemporal = () =>
  startTemporal({
    dataDir,
    executable: provided('temporalExecutable'),
    onLine,
    searchAttributes: { XeroTenant: 'Keyword' },
  });
const startBoth = () => Promise.all([startPostgres({ dataDir, onLine }), startOnlyTemporal()]);

afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

describe('the embedded servers', () => {
  let postgres: EmbeddedPostgres;
  let temporal: EmbeddedTemporal;

  beforeAll(async () => {
    [postgres, temporal] = await startBoth();
    await query(postgres.url, 'CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)');
    await startOrphanWorkflow(temporal.address, 'kept');
  });
  afterAll(() => Promise.all([postgres.stop(), temporal.stop()]));

  it('Postgres listens on loopback, in UTC and UTF-8, with checksums and syncs', async () => {
    expect(new URL(postgres.url).hostname).toBe('127.0.0.1');
    const names = [
      'listen_addresses',
      'TimeZone',
      'server_encoding',
      'data_checksums',
      'fsync',
      'unix_socket_directories',
    ];
    const shown = await query(
      postgres.url,
      `SELECT ${names.map((name) => `current_setting('${name}')`).join(" || ',' || ")} AS all`,
    );
    expect(shown.rows[0].all).toBe('127.0.0.1,UTC,UTF8,on,on,');
    const collation = await query(
      postgres.url,
      `SELECT datlocprovider::text || datlocale AS l FROM pg_database WHERE datname = 'daybook'`,
    );
    expect(collation.rows[0].l).toBe('bC.UTF-8');
  });

  it('an application’s login is let into our database only', async () => {
    await query(postgres.url, `CREATE ROLE visitor LOGIN PASSWORD 'visitor'`);
    const visit = (database: string) => {
      const url = new URL(postgres.url);
      [url.username, url.password, url.pathname] = ['visitor', 'visitor', `/${database}`];
      return query(url.href, 'SELECT 1');
    };
    await visit('daybook');
    for (const other of ['postgres', 'template1']) {
      await expect(visit(other)).rejects.toThrow(/permission denied for database/);
    }
  });

  it('the password is for our eyes only', () => {
    expect(statSync(join(dataDir, 'postgres.password')).mode & 0o777).toBe(0o600);
  });

  it('so are the logs and what Temporal keeps, also when an older version left it open', async () => {
    const files = ['temporal.db', 'temporal.db-wal', 'temporal.db-shm', 'temporal.log', 'postgres.log'];
    const modes = () => files.map((name) => statSync(join(dataDir, name)).mode & 0o777);
    expect(modes()).toEqual(files.map(() => 0o600));
    await temporal.stop();
    chmodSync(join(dataDir, 'temporal.db'), 0o644);
    temporal = await startOnlyTemporal();
    expect(modes()).toEqual(files.map(() => 0o600));
  });

  it('Temporal keeps finished runs for 30 days', async () => {
    expect(await retentionDays(temporal.address)).toBe(30);
  });

  it('other processes find them, and a second start joins', async () => {
    expect(runningPostgres(dataDir)?.url).toBe(postgres.url);
    expect(runningTemporal(dataDir)?.address).toBe(temporal.address);
    const [secondPostgres, secondTemporal] = await startBoth();
    expect([secondPostgres.shared, secondTemporal.shared]).toEqual([true, true]);
    expect([secondPostgres.pid(), secondTemporal.pid()]).toEqual([postgres.pid(), temporal.pid()]);
    await Promise.all([secondPostgres.stop(), secondTemporal.stop()]);
    expect(isAlive(postgres.pid())).toBe(true);
  });

  it('a killed Postgres comes back at the same address with its data', async () => {
    const before = postgres.pid() ?? 0;
    process.kill(before, 'SIGKILL');
    const kept = await eventually(async () =>
      postgres.pid() !== before ? await query(postgres.url, 'SELECT n FROM kept') : undefined,
    );
    expect(kept.rows).toEqual([{ n: 42 }]);
    expect(postgres.pid()).not.toBe(before);
    expect(lines.join('\n')).toMatch(/Postgres ended unexpectedly \(SIGKILL\); starting it again/);
  });

  it('a killed Temporal comes back at the same address with its workflows', async () => {
    const before = temporal.pid() ?? 0;
    // Started the moment before the kill: what the server acknowledged, it must still know.
    await startOrphanWorkflow(temporal.address, 'last-moment');
    process.kill(before, 'SIGKILL');
    await eventually(() => temporal.pid() !== undefined && temporal.pid() !== before);
    expect(await statusOf(temporal.address, 'kept')).toBe('RUNNING');
    expect(await statusOf(temporal.address, 'last-moment')).toBe('RUNNING');
  });

  it('stop leaves no process, and the next start has everything, at the same addresses', async () => {
    const pids = [postgres.pid(), temporal.pid()];
    await Promise.all([postgres.stop(), temporal.stop()]);
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(runningPostgres(dataDir)).toBeUndefined();
    const addresses = [postgres.url, temporal.address, temporal.uiUrl];
    [postgres, temporal] = await startBoth();
    expect([postgres.url, temporal.address, temporal.uiUrl]).toEqual(addresses);
    expect((await query(postgres.url, 'SELECT n FROM kept')).rows).toEqual([{ n: 42 }]);
    expect(await statusOf(temporal.address, 'kept')).toBe('RUNNING');
  });
});

describe('a start that cannot succeed', () => {
  it('names the port that is taken', async () => {
    const port = Number(new URL(`http://${provided('temporal')}`).port);
    const other = mkdtempSync(join(tmpdir(), 'daybook-taken-'));
    try {
      await expect(startTemporal({ dataDir: other, executable: '/bin/false', port, onLine })).rejects.toThrow(
        `127.0.0.1:${port} because another program does`,
      );
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  it('quotes the end of the log, and leaves the folder free for the next try', async () => {
    const other = mkdtempSync(join(tmpdir(), 'daybook-broken-'));
    try {
      const start = () => startTemporal({ dataDir: other, executable: join(other, 'absent'), onLine });
      await expect(start()).rejects.toThrow(/ended while starting.*The end of its log:.*absent/s);
      await expect(start()).rejects.toThrow(/ended while starting/);
    } finally {
      rmSync(other, { recursive: true });
    }
  });
});
