import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { daybook } from '../support/daybook.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { runProcess } from '../support/processes.ts';
import { type Stand, startStand } from '../support/stand.ts';

/** Answers each call of gRPC with nothing but this status. https://grpc.io/docs/guides/status-codes/ */
async function answering(status: () => number) {
  const server = createServer().on('stream', (stream) =>
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': status() },
      { endStream: true },
    ),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, close: () => server.close() };
}

describe('A worker whose servers are away at its start', { timeout: 90_000 }, () => {
  let stand: Stand;
  let postgres: FaultProxy;
  let temporal: FaultProxy;
  let environment: Record<string, string>;
  beforeAll(async () => {
    stand = await startStand({ worker: false });
    const database = new URL(stand.database.url);
    const [host = '', port] = stand.temporal.address.split(':');
    postgres = await startFaultProxy({ host: database.hostname, port: Number(database.port) });
    temporal = await startFaultProxy({ host, port: Number(port) });
    database.host = postgres.address;
    environment = {
      ...stand.environment,
      DATABASE_URL: database.href,
      TEMPORAL_ADDRESS: temporal.address,
      DAYBOOK_LOG_LEVEL: 'info',
    };
  });
  afterAll(async () => {
    await Promise.all([postgres.close(), temporal.close()]);
    await stand.close();
  });

  const startWorker = (env = environment) => runProcess('bin/daybook.mjs', { args: ['worker'], env });
  const told = (output: string) => output.split('\n').filter((line) => line.includes('The worker waits for it.'));

  test.each([
    ['Postgres', () => postgres],
    ['Temporal', () => temporal],
  ])('%s: it waits, says so once, and takes work when it is there', async (name, server) => {
    server().refuse();
    const worker = startWorker();
    try {
      expect(await worker.line(/waits for it/)).toMatch(new RegExp(`"msg":"${name} at 127.0.0.1:${server().port}`));
      server().heal();
      await worker.line(/the worker is ready/, 60_000);
      expect(told(worker.output())).toHaveLength(1);
      expect(await worker.end('SIGTERM')).toBe(0);
    } finally {
      await worker.kill9();
    }
  });

  test('neither is there: it is told to stop, and stops at once', async () => {
    const nowhere = `127.0.0.1:${await freePort()}`;
    const worker = startWorker({ ...environment, DATABASE_URL: `postgres://u:geheim@${nowhere}/x` });
    await worker.line(/Postgres at .* cannot be used: .*ECONNREFUSED.* The worker waits for it\./);
    expect(await worker.end('SIGTERM')).toBe(0);
    expect(worker.output()).not.toContain('geheim');
  });

  test('a Temporal that is not ready yet is waited for, one that refuses whoever asks is not', async () => {
    const [unavailable, unauthenticated] = [14, 16];
    let status = unavailable;
    const server = await answering(() => status);
    const worker = startWorker({ ...environment, TEMPORAL_ADDRESS: server.address });
    await worker.line(/"msg":"Temporal at .* The worker waits for it\./);
    status = unauthenticated;
    expect(await worker.exited).toBe(2);
    expect(worker.output()).toMatch(/\nTemporal at .* does not answer: .*TEMPORAL_API_KEY/);
    server.close();
  });

  // The connect page and `up` need Postgres before all else; Temporal only when somebody asks for what it has, and a worker does.
  test.each([
    ['web', 'The connect page', /^The connect page: http/],
    ['up', 'Daybook', /^The worker is ready/],
  ])(
    '`daybook %s` waits for its Postgres in the same way, and begins when it is there',
    async (command, who, ready) => {
      postgres.refuse();
      const env = { ...environment, DAYBOOK_WEB_PORT: String(await freePort()) };
      const started = runProcess('bin/daybook.mjs', { args: [command], env });
      const waits = new RegExp(`^Postgres at 127.0.0.1:${postgres.port}/.* cannot be used: .* ${who} waits for it\\.$`);
      try {
        await started.line(waits);
        postgres.heal();
        await started.line(ready, 60_000);
        expect(
          started
            .output()
            .split('\n')
            .filter((line) => waits.test(line)),
        ).toHaveLength(1);
        expect(await started.end('SIGTERM')).toBe(0);
      } finally {
        await started.kill9();
      }
    },
  );

  test.each(['web', 'up'])('`daybook %s` that waits stops at once; what Postgres refuses ends it', async (command) => {
    const port = { DAYBOOK_WEB_PORT: String(await freePort()) };
    const nowhere = `postgres://u:geheim@127.0.0.1:${await freePort()}/x`;
    const waiting = runProcess('bin/daybook.mjs', {
      args: [command],
      env: { ...environment, ...port, DATABASE_URL: nowhere },
    });
    await waiting.line(/Postgres at .*ECONNREFUSED.* waits for it\./);
    expect(await waiting.end('SIGTERM')).toBe(0);
    expect(waiting.output()).not.toContain('geheim');
    expect(existsSync(join(environment.DAYBOOK_DATA_DIR ?? '', 'up.lock'))).toBe(false);

    for (const [part, wrong, why] of [
      ['pathname', '/no_such_books', /"no_such_books" does not exist/],
      ['password', 'wrong', /password/],
    ] as const) {
      const refused = new URL(stand.database.url);
      refused[part] = wrong;
      const said = await daybook([command], { ...environment, ...port, DATABASE_URL: refused.href });
      expect(said).toMatchObject({ code: 2, stderr: expect.stringMatching(/^Postgres at /) });
      expect(said.stderr).toMatch(why);
    }
  });

  test('a database or a namespace that is not there, and an address that is none, end it with the sentence', async () => {
    const unknown = new URL(environment.DATABASE_URL ?? '');
    unknown.pathname = '/no_such_books';
    const [database, namespace, up, address] = await Promise.all([
      daybook(['worker'], { ...environment, DATABASE_URL: unknown.href }),
      daybook(['worker'], { ...environment, TEMPORAL_NAMESPACE: 'nope' }),
      daybook(['up'], { ...environment, TEMPORAL_NAMESPACE: 'nope' }),
      daybook(['worker'], { ...environment, TEMPORAL_ADDRESS: 'host:port' }),
    ]);
    expect(database).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^Postgres at .*"no_such_books" does not/),
    });
    const notThere = expect.stringContaining(
      "Namespace not found: 'nope'. It is what TEMPORAL_NAMESPACE names; create it in Temporal, or name another.\n",
    );
    expect([namespace, up]).toMatchObject(Array(2).fill({ code: 2, stderr: notThere }));
    expect(address).toMatchObject({ code: 2, stderr: expect.stringMatching(/^Temporal at host:port does not answer/) });
  });
});
