import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A port that is listened on, on every address of its host. */
export interface Listening {
  port: number;
  close(): Promise<void>;
}

/** Listens on all addresses of a host, at the same port; port 0 takes a free one. Null when it is taken. */
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
  for (const address of addressesOf(host)) {
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

/** The addresses of a host to listen on: a browser may resolve `localhost` to either loopback address. */
export function addressesOf(host: string): string[] {
  return host === 'localhost' ? ['127.0.0.1', '::1'] : [host.replace(/[[\]]/g, '')];
}

/** The code of the error that keeps a server from listening; null when it listens. */
export function tryListening(server: Server, port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => resolve(null));
  });
}
