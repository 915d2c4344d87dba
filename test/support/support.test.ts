import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase } from './database.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { connectTemporal, uniqueName } from './temporal.ts';
import { createTimeSkippingEnvironment, timeSkippingAvailable } from './time-skipping.ts';

describe('the fault proxy', () => {
  let echo: Server;
  let proxy: FaultProxy;
  let received: string;

  beforeAll(async () => {
    echo = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        received += chunk.toString();
        socket.write(chunk);
      });
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
  });
  beforeEach(async () => {
    received = '';
    proxy = await startFaultProxy({ host: '127.0.0.1', port: (echo.address() as { port: number }).port });
  });
  afterEach(() => proxy.close());
  afterAll(() => echo.close());

  const open = () => connect({ host: proxy.host, port: proxy.port });

  async function ask(socket: Socket, text: string): Promise<string> {
    const answer = once(socket, 'data');
    socket.write(text);
    return String((await answer)[0]);
  }

  /** What became of a question: its answer, how the connection ended, or silence for 150 ms. */
  async function outcome(socket: Socket, text: string): Promise<string> {
    return Promise.race([
      ask(socket, text).catch((error: NodeJS.ErrnoException) => error.code ?? 'error'),
      sleep(150).then(() => 'silence'),
    ]);
  }

  it('passes traffic on, and cuts it', async () => {
    const socket = open();
    expect(await ask(socket, 'hello')).toBe('hello');
    expect(proxy.connections()).toBe(1);
    const failed = once(socket, 'error');
    proxy.cut();
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(proxy.connections()).toBe(0);
  });

  it('stalls, and delivers after it heals', async () => {
    const socket = open();
    await ask(socket, 'hello');
    proxy.stall();
    expect(await outcome(socket, 'late')).toBe('silence');
    const answer = once(socket, 'data');
    proxy.heal();
    expect(String((await answer)[0])).toBe('late');
    socket.destroy();
  });

  it('loses an answer after the request arrived', async () => {
    proxy.loseAnswers();
    expect(await outcome(open(), 'do it')).toBe('ECONNRESET');
    expect(received).toBe('do it');
  });

  it('refuses new connections', async () => {
    proxy.refuse();
    expect(await outcome(open(), 'hello')).toBe('ECONNRESET');
    expect(received).toBe('');
  });

  it('leaves a client waiting on a half-open connection', async () => {
    const socket = open();
    await ask(socket, 'hello');
    proxy.halfOpen();
    expect(await outcome(socket, 'anybody?')).toBe('silence');
    expect(received).toBe('hello');
    socket.destroy();
  });

  it('hangs up only when a client has read what was sent to it', async () => {
    const socket = open();
    await ask(socket, 'hello');
    socket.pause();
    const read: string[] = [];
    socket.removeAllListeners('data').on('data', (piece: Buffer) => read.push(piece.toString()));
    socket.write('unread');
    await expect.poll(() => received).toBe('hellounread');
    await sleep(50);
    proxy.hangUp();
    await sleep(50);
    const ended = once(socket, 'end');
    socket.resume();
    await ended;
    expect(read.join('')).toBe('unread');
  });

  it('delays', async () => {
    proxy.delay(60);
    const began = performance.now();
    const socket = open();
    await ask(socket, 'hello');
    expect(performance.now() - began).toBeGreaterThan(115);
    socket.destroy();
  });
});

describe('the stand', () => {
  it('gives each caller a migrated database of its own', async () => {
    const databases = await Promise.all([createTestDatabase(), createTestDatabase()]);
    try {
      for (const { pool } of databases) {
        const { rows } = await pool.query(`SELECT count(*)::int AS n FROM daybook.migration`);
        expect(rows[0].n).toBeGreaterThan(0);
      }
      await databases[0].pool.query('CREATE TABLE mine ()');
      await expect(databases[1].pool.query('SELECT FROM mine')).rejects.toThrow(/does not exist/);
    } finally {
      await Promise.all(databases.map((database) => database.drop()));
    }
  });

  it('gives a Temporal client', async () => {
    const temporal = await connectTemporal();
    try {
      const workflowId = uniqueName('stand');
      const handle = await temporal.client.workflow.start('nobody', { workflowId, taskQueue: workflowId });
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.terminate();
    } finally {
      await temporal.close();
    }
  });
});

describe.skipIf(!timeSkippingAvailable())('the time-skipping server', () => {
  it('sleeps a day in no time', async () => {
    const environment = await createTimeSkippingEnvironment();
    try {
      const before = await environment.currentTimeMs();
      await environment.sleep('24 hours');
      expect((await environment.currentTimeMs()) - before).toBeGreaterThanOrEqual(86_400_000);
    } finally {
      await environment.teardown();
    }
  }, 300_000);
});
