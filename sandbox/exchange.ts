import type { IncomingMessage } from 'node:http';

/** A request, read as far as everyone needs it. Body only where a handler asks for it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The text after `?`, as sent. */
  readonly queryText: string;
}

/** An answer before it is sent. A body of `undefined` is sent empty. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export const jsonAnswer = (status: number, value: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(value),
});

export const htmlAnswer = (status: number, body: string): Answer => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
  body,
});

export const textAnswer = (status: number, body: string): Answer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
});

const MAX_BODY = 4 * 1024 * 1024;

/** The request's body as text. Throws above 4 MB. */
export async function bodyText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error('The request body is larger than 4 MB.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function exchangeOf(request: IncomingMessage): Exchange {
  const target = request.url ?? '/';
  const cut = target.indexOf('?');
  const queryText = cut < 0 ? '' : target.slice(cut + 1);
  return {
    request,
    method: request.method ?? 'GET',
    path: cut < 0 ? target : target.slice(0, cut),
    queryText,
    query: new URLSearchParams(queryText),
  };
}

/** A header as one text, or undefined. */
export function headerOf(exchange: Exchange, name: string): string | undefined {
  const value = exchange.request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
