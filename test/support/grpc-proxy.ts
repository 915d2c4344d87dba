import { once } from 'node:events';
import {
  connect,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

/** What becomes of a call: it passes, is never answered, or is answered by nothing but this status of gRPC's. */
export type Fate = 'pass' | 'hold' | number;

export interface GrpcProxy {
  /** `host:port` */
  readonly address: string;
  /** The names of the calls so far that did not pass, as "CreateSchedule". */
  readonly struck: readonly string[];
  close(): Promise<void>;
}

/**
 * A proxy before Temporal that can treat one method otherwise than the others, which all share a connection and so are one to a
 * {@link FaultProxy}. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export async function startGrpcProxy(target: string, fateOf: (method: string) => Fate): Promise<GrpcProxy> {
  const struck: string[] = [];
  const upstream = connect(`http://${target}`);
  upstream.on('error', () => undefined);
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const method = headers[':path']?.split('/').at(-1) ?? '';
    const fate = fateOf(method);
    if (fate === 'pass') return relay(stream, headers);
    struck.push(method);
    if (fate === 'hold') return;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': fate }, { endStream: true });
  });

  function relay(stream: ServerHttp2Stream, { ':authority': _, ...headers }: IncomingHttpHeaders): void {
    const onward = upstream.request(headers);
    let trailers: IncomingHttpHeaders = {};
    onward.on('error', () => stream.close());
    onward.on('response', (answer) => stream.respond(answer, { waitForTrailers: true }));
    onward.on('trailers', (told) => {
      trailers = told;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.on('close', () => onward.close());
    stream.pipe(onward).pipe(stream);
  }

  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    struck,
    close: async () => {
      upstream.destroy();
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
