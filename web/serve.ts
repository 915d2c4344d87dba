import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createWebApp } from './app.ts';
import type { WebPlace } from './place.ts';

/** A port that is listened on, on every address of its host. */
export interface Listening {
  port: number;
  close(): Promise<void>;
}

/**
 * Listens on a host's port, on `localhost` at both loopback addresses, as a browser may resolve it to either. Port 0 takes a
 * free one. Null when it is taken.
 */
export async function listen(host: string, port: number, onRequest: RequestListener): Promise<Listening | null> {
  const servers: Server[] = [];
  const close = async () => {
    await Promise.all(
      servers.map(
        (server) =>
          new Promise<void>((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      ),
    );
  };
  let taken = port;
  for (const address of host === 'localhost' ? ['127.0.0.1', '::1'] : [host]) {
    const server = createServer(onRequest);
    const failure = await tryListening(server, taken, address);
    if (failure === null) {
      servers.push(server);
      taken = (server.address() as AddressInfo).port;
    } else if (failure === 'EADDRINUSE') {
      // The other address alone would be half a page, and another program the other half.
      await close();
      return null;
    }
  }
  return servers.length === 0 ? null : { port: taken, close };
}

function tryListening(server: Server, port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => resolve(null));
  });
}

/** Answers requests with the connect page. */
export function answering(place: WebPlace): RequestListener {
  const app = createWebApp(place);
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  return (request, response) => void answer(request, response);
}
