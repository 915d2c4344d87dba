import type { Socket } from 'node:net';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPool } from '../../storage/pool.ts';
import { createRefreshLock } from '../../storage/refresh-lock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let pool: pg.Pool;
/** What befell connections that the pool had back. */
const heard: Error[] = [];
const sockets: Socket[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool(database.url, 2, (error) => heard.push(error));
  pool.on('connect', (client) =>
    sockets.push((client as pg.PoolClient & { connection: { stream: Socket } }).connection.stream),
  );
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const timedOut = () => Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' });

test('a session of locks that was given up is the pool’s, whatever its socket meets afterwards', async () => {
  const lock = createRefreshLock(pool);
  expect(await lock.take('one')).toBe(true);
  // Postgres takes no NUL in a text.
  await expect(lock.take('\0')).rejects.toThrow('invalid byte sequence');
  const [socket] = sockets.splice(0);
  // As the kernel does with a connection whose other end is silent. Released twice, it is an uncaught exception.
  socket?.destroy(timedOut());
  await expect.poll(() => heard.map(({ message }) => message)).toEqual(['read ETIMEDOUT']);
  await lock.release('one');
  expect(pool.idleCount).toBe(pool.totalCount);
});

test('a session that is lost while it holds a lock leaves its place in the pool to the next', async () => {
  const lock = createRefreshLock(pool);
  expect(await lock.take('one')).toBe(true);
  const [socket] = sockets.splice(0);
  socket?.destroy(timedOut());
  await expect.poll(() => pool.totalCount).toBe(0);
  expect(await lock.take('other')).toBe(true);
  await Promise.all([lock.release('one'), lock.release('other')]);
  expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
});

test('a session that comes back takes no listener of others with it', async () => {
  const lock = createRefreshLock(pool);
  const client = await pool.connect();
  const ours = () => {};
  client.on('error', ours);
  client.release();
  expect(await lock.take('one')).toBe(true);
  await lock.release('one');
  expect(client.listeners('error')).toContain(ours);
  client.removeListener('error', ours);
});
