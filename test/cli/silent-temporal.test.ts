import { once } from 'node:events';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { daybook } from '../support/daybook.ts';
import { runProcess } from '../support/processes.ts';
import { type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
const servers: Server[] = [];
beforeAll(async () => {
  stand = await startStand({ worker: false });
});
afterAll(async () => {
  for (const server of servers) server.close();
  await stand.close();
});

async function addressOf(server: Server): Promise<string> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Takes whoever comes, and never says a word. */
const mute = () => createServer((socket) => void socket.on('error', () => {}).resume());
/** Speaks HTTP/2, as a proxy before a server that is gone, and never answers a call. */
const idle = () =>
  createHttp2Server()
    .on('stream', (stream) => void stream.on('error', () => {}))
    .on('sessionError', () => {});

/** Answers the first call of all, and falls silent. */
const fallingSilent = () =>
  createHttp2Server()
    .on('stream', (stream, headers) => {
      stream.on('error', () => {});
      if (!headers[':path']?.endsWith('/GetSystemInfo')) return;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      // An empty message of gRPC's: not compressed, no bytes.
      stream.end(Buffer.alloc(5));
    })
    .on('sessionError', () => {});

// Each waits for an answer that does not come nearly all of its time, so they do it together.
test.concurrent.each([
  ['takes the connection and is silent', mute, {}],
  ['never answers the TLS handshake', mute, { TEMPORAL_TLS: 'true' }],
  ['answers no call', idle, {}],
])(
  'a Temporal that %s: commands end with the sentence, a worker goes on waiting',
  async (_, server, more) => {
    const address = await addressOf(server());
    const environment = { ...stand.environment, ...more, TEMPORAL_ADDRESS: address, DAYBOOK_LOG_LEVEL: 'info' };
    const worker = runProcess('bin/daybook.mjs', { args: ['worker'], env: environment });
    const sentence = `Temporal at ${address} does not answer: `;
    try {
      const [status, doctor, cancel] = await Promise.all(
        [['status'], ['doctor'], ['cancel', 'x']].map((words) => daybook(words, environment)),
      );
      // One that had to be killed has -1.
      expect(status).toMatchObject({ code: 0, stderr: expect.stringContaining(sentence) });
      expect(doctor).toMatchObject({ code: 1, stdout: expect.stringContaining(sentence) });
      expect(cancel).toMatchObject({ code: 2, stderr: expect.stringMatching(new RegExp(`${sentence}.*Check that`)) });
      await worker.line(/The worker waits for it\./);
      expect(worker.output().split(sentence)).toHaveLength(2);
      expect(await worker.end('SIGTERM')).toBe(0);
    } finally {
      await worker.kill9();
    }
  },
  150_000,
);

test.concurrent('a Temporal that falls silent in the middle of a command: it ends with the sentence', async () => {
  const address = await addressOf(fallingSilent());
  const environment = { ...stand.environment, TEMPORAL_ADDRESS: address };
  const sentence = `Temporal at ${address} does not answer: `;
  const commands = [['status'], ['doctor'], ['cancel', 'x'], ['schedule', 'list']];
  const [status, doctor, cancel, schedules] = await Promise.all(commands.map((words) => daybook(words, environment)));
  expect(status).toMatchObject({ code: 0, stderr: expect.stringContaining(sentence) });
  expect(doctor).toMatchObject({ code: 1, stdout: expect.stringMatching(/not checked temporal .* no answer came/) });
  for (const ended of [cancel, schedules])
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(new RegExp(`${sentence}.*Check that`)) });
}, 150_000);
