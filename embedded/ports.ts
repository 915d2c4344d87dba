import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeLock } from './lock.ts';

/** Whether nothing listens on this loopback port. */
function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** A loopback port the operating system has free right now. */
function anyFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/** A port nobody else takes as long as it is not released. */
export interface ReservedPort {
  readonly port: number;
  release(): void;
}

/**
 * The port to listen on: `wanted` if given (an error when it is taken, because the caller told others about it), else
 * the first free one of `preferred`, else any. A preferred port is reserved for the time of its use: of two Daybooks
 * that start at once both would find it free, and one would end up talking to the other's server.
 */
export async function choosePort(
  server: string,
  wanted: number | undefined,
  preferred: readonly (number | undefined)[],
): Promise<ReservedPort> {
  if (wanted !== undefined) {
    if (await isPortFree(wanted)) return { port: wanted, release: () => undefined };
    throw new Error(
      `${server} cannot listen on 127.0.0.1:${wanted} because another program does. ` +
        'Stop that program, or ask for another port, or for none to get a free one.',
    );
  }
  for (const port of preferred) {
    if (port === undefined) continue;
    const lock = reserve(port);
    if (lock === undefined) continue;
    if (await isPortFree(port)) return { port, release: lock.release };
    lock.release();
  }
  return { port: await anyFreePort(), release: () => undefined };
}

function reserve(port: number): { release(): void } | undefined {
  try {
    const lock = takeLock(join(tmpdir(), `daybook-port-${port}.lock`));
    return lock.held ? lock : undefined;
  } catch {
    // Another user's lock, which we may neither read nor replace.
    return undefined;
  }
}
