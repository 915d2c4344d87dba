import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

async function bind(listener: RequestListener, host: string, port: number): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

/**
 * Listens on loopback, on both families, so that `localhost` works whichever a client tries first. When the port is ours
 * to choose, one that is taken on ::1 is given up for another: half a port would send some clients to a stranger.
 */
export async function listenOnLoopback(listener: RequestListener, port: number): Promise<Listening> {
  for (let attempt = 1; ; attempt++) {
    const first = await bind(listener, '127.0.0.1', port);
    const chosen = (first.address() as AddressInfo).port;
    const servers = [first];
    try {
      servers.push(await bind(listener, '::1', chosen));
    } catch (error) {
      if (codeOf(error) === 'EADDRINUSE' && port === 0 && attempt < 10) {
        first.close();
        continue;
      }
      // No IPv6 on this machine, or a port that the caller insisted on: 127.0.0.1 alone has to do.
    }
    let closing: Promise<unknown> | undefined;
    const end = (server: Server): Promise<unknown> => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      return closed;
    };
    return {
      port: chosen,
      close: async () => {
        closing ??= Promise.all(servers.map(end));
        await closing;
      },
    };
  }
}
