import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export type Script = (response: ServerResponse, request: Seen) => void;

/** A server on a free port that answers with whatever the test scripted last. */
export async function startScripted() {
  const seen: Seen[] = [];
  let script: Script = (response) => response.end();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const call = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      seen.push(call);
      script(response, call);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answer(next: Script) {
      script = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A script that sends one whole answer. */
export function whole(status: number, body: string | Buffer, headers: Record<string, string> = {}): Script {
  return (response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

export function problem(status: number, detail: string | null): string {
  return JSON.stringify({ Type: null, Title: 'x', Status: status, Detail: detail, Instance: 'abc', Extensions: {} });
}
