import { createServer, type Server } from 'node:http';
import { ConfigurationError } from '../config/config.ts';

const patienceMs = 10 * 60_000;

/**
 * Waits for Xero to send the admin's browser back to the redirect address on this machine; takes exactly one callback,
 * then closes. `ready` is called when it listens: the consent may begin.
 */
export async function waitForCallback(redirectUri: string, ready: () => void): Promise<string> {
  const { hostname, port, pathname, origin } = new URL(redirectUri);
  if (!['localhost', '127.0.0.1', '[::1]'].includes(hostname)) {
    throw new ConfigurationError(
      `XERO_REDIRECT_URI is ${redirectUri}, which is not on this machine; \`daybook connect\` cannot take the callback there.`,
    );
  }
  let take: (address: string) => void = () => {};
  const taken = new Promise<string>((resolve) => {
    take = resolve;
  });
  const servers: Server[] = [];
  // A browser may resolve localhost to either loopback address.
  for (const host of hostname === 'localhost' ? ['127.0.0.1', '::1'] : [hostname.replace(/[[\]]/g, '')]) {
    const server = createServer((request, response) => {
      const address = new URL(request.url ?? '/', origin);
      const isCallback = request.method === 'GET' && address.pathname === pathname && address.searchParams.has('state');
      response.writeHead(isCallback ? 200 : 404, {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        connection: 'close',
      });
      response.end(isCallback ? page : 'Not found.');
      if (isCallback) take(address.href);
    });
    if (await listen(server, Number(port || 80), host)) servers.push(server);
  }
  if (servers.length === 0) {
    throw new ConfigurationError(
      `Port ${port} is taken, so the callback at ${redirectUri} cannot be received. Free it, or set XERO_REDIRECT_URI.`,
    );
  }
  ready();
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ConfigurationError('No answer came from Xero’s consent page within 10 minutes. Begin again.')),
      patienceMs,
    );
  });
  try {
    return await Promise.race([taken, tooLate]);
  } finally {
    clearTimeout(timer);
    for (const server of servers) server.close();
  }
}

function listen(server: Server, port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, host, () => resolve(true));
  });
}

const page = `<!doctype html><meta charset="utf-8"><title>Daybook</title>
<body style="font: 1.1rem system-ui; max-width: 32rem; margin: 20vh auto; padding: 0 1rem">
<h1>Thank you</h1><p>Xero has answered. Daybook goes on in the terminal; you can close this page.</p>`;
