import { createServer, type Server } from 'node:http';
import { goesOnInTerminal } from '../web/handover.ts';
import { addressesOf, tryListening } from '../web/listen.ts';

/** The listening for one callback. */
export interface Listening {
  /** Why the callback cannot be received, or not surely; null when it can. */
  trouble: string | null;
  close(): void | Promise<void>;
}

/**
 * Listens at the redirect address for the admin's browser, which Xero sends back there. `take` is given each address that
 * comes, and answers what is wrong with it; with null it is the one awaited.
 */
export async function listenForCallback(
  redirectUri: string,
  take: (address: string) => string | null,
): Promise<Listening> {
  const { hostname, port, pathname, origin } = new URL(redirectUri);
  if (!['localhost', '127.0.0.1', '[::1]'].includes(hostname)) {
    return { trouble: `XERO_REDIRECT_URI is ${redirectUri}, which is not on this machine.`, close() {} };
  }
  const servers: Server[] = [];
  const refused: string[] = [];
  for (const host of addressesOf(hostname)) {
    const server = createServer((request, response) => {
      const address = new URL(request.url ?? '/', origin);
      const isCallback = request.method === 'GET' && address.pathname === pathname && address.searchParams.has('state');
      const problem = isCallback ? take(address.href) : 'Not found.';
      response.writeHead(problem === null ? 200 : isCallback ? 400 : 404, {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        connection: 'close',
      });
      response.end(problem === null ? page('Thank you', goesOnInTerminal) : page('Not this one', problem));
    });
    const failure = await tryListening(server, Number(port || 80), host);
    if (failure === null) servers.push(server);
    // A machine without IPv6 has no ::1; that is no trouble.
    else if (failure !== 'EADDRNOTAVAIL' && failure !== 'EAFNOSUPPORT') refused.push(failure);
  }
  const why = refused.includes('EADDRINUSE') ? 'is taken by another process' : `cannot be had (${refused[0] ?? 'no'})`;
  const isWhole = servers.length > 0 && refused.length === 0;
  return {
    trouble: isWhole ? null : `Port ${port || 80} ${why}, so the callback at ${redirectUri} may not arrive here.`,
    close: () => {
      for (const server of servers) server.close();
    },
  };
}

/** Both texts are ours: nothing of the address is repeated. */
const page = (title: string, text: string) => `<!doctype html><meta charset="utf-8"><title>Daybook</title>
<body style="font: 1.1rem system-ui; max-width: 32rem; margin: 20vh auto; padding: 0 1rem">
<h1>${title}</h1><p>${text}</p>`;
