import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What happens to traffic through the proxy. */
type Mode =
  /** Everything passes. */
  | 'pass'
  /** Connections stay open and nothing moves, in either direction; what was sent arrives after `heal`. */
  | 'stall'
  /** Requests arrive, answers are lost and the connection is reset as the first one comes: done, but nobody knows. */
  | 'loseAnswers'
  /** New connections are reset at once. */
  | 'refuse';

export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** `host:port` */
  readonly address: string;
  /** Resets all open connections, on both sides. */
  cut(): void;
  stall(): void;
  loseAnswers(): void;
  /** Resets all open connections and every new one. */
  refuse(): void;
  /** Ends the server's side of all open connections; clients are told nothing and wait in vain, as when a cable is pulled. */
  halfOpen(): void;
  /** Ends all open connections: at once for the server; clients still read what was sent to them before they meet the end. */
  hangUp(): void;
  /** From now on each piece arrives that much later, in each direction. */
  delay(ms: number): void;
  /** Everything passes again, at once; what was stalled is delivered. */
  heal(): void;
  /** Open connections now. */
  connections(): number;
  close(): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

/** A TCP proxy on a free loopback port that passes traffic to `target` and can be told to misbehave. */
export async function startFaultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  const links = new Set<Link>();
  let mode: Mode = 'pass';
  let delayMs = 0;

  const reset = (link: Link) => {
    link.client.resetAndDestroy();
    link.server.resetAndDestroy();
    links.delete(link);
  };

  const relay = (link: Link, from: Socket, to: Socket) => {
    from.on('data', (chunk: Buffer) => {
      if (mode === 'loseAnswers' && from === link.server) return reset(link);
      const deliver = () => to.writable && to.write(chunk);
      if (delayMs > 0) setTimeout(deliver, delayMs);
      else deliver();
    });
    from.on('end', () => setTimeout(() => to.end(), delayMs));
    from.on('error', () => reset(link));
    from.on('close', () => links.delete(link));
  };

  const listener = createServer({ allowHalfOpen: true }, (client) => {
    client.on('error', () => undefined);
    if (mode === 'refuse') return client.resetAndDestroy();
    const server = connect({ ...target, allowHalfOpen: true });
    const link: Link = { client, server };
    links.add(link);
    relay(link, client, server);
    relay(link, server, client);
    if (mode === 'stall') pause(link);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const bound = listener.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;

  const cut = () => {
    for (const link of links) reset(link);
  };
  return {
    host: '127.0.0.1',
    port,
    address: `127.0.0.1:${port}`,
    cut,
    stall: () => {
      mode = 'stall';
      for (const link of links) pause(link);
    },
    loseAnswers: () => {
      mode = 'loseAnswers';
    },
    refuse: () => {
      mode = 'refuse';
      cut();
    },
    halfOpen: () => {
      for (const { client, server } of links) {
        client.pause();
        server.removeAllListeners('end');
        server.removeAllListeners('close');
        server.destroy();
      }
    },
    hangUp: () => {
      for (const { client, server } of links) {
        client.end();
        server.destroy();
      }
    },
    delay: (ms) => {
      delayMs = ms;
    },
    heal: () => {
      mode = 'pass';
      delayMs = 0;
      for (const { client, server } of links) {
        if (!server.destroyed) client.resume();
        server.resume();
      }
    },
    connections: () => links.size,
    close: async () => {
      cut();
      listener.close();
      await once(listener, 'close');
    },
  };
}

function pause(link: Link): void {
  link.client.pause();
  link.server.pause();
}
