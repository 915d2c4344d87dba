import { type RequestListener, request } from 'node:http';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import { type SandboxOptions, startSandbox } from '../../sandbox/server.ts';
import { storeLink } from '../../storage/web-sessions.ts';
import { listen } from '../../web/listen.ts';
import { hashOf, newSecret } from '../../web/secrets.ts';
import { answering } from '../../web/serve.ts';
import { createTestDatabase } from '../support/database.ts';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** The connect page on a port of its own, over a real database and the sandbox. */
export async function startWebStand({
  sandbox: options = {},
  password = null,
}: {
  sandbox?: SandboxOptions;
  password?: string | null;
} = {}) {
  const [sandbox, database] = await Promise.all([startSandbox({ journals: 5, ...options }), createTestDatabase()]);
  const errors: Error[] = [];
  const resumed: string[][] = [];
  let answer: RequestListener = () => {};
  const listening = await listen('localhost', 0, (incoming, outgoing) => answer(incoming, outgoing));
  if (listening === null) throw new Error('No port was free.');
  const origin = `http://localhost:${listening.port}`;
  const xero = sandboxSettings(sandbox, `${origin}/oauth/callback`);
  const tokenKeys = `k1:${Buffer.alloc(32, 5).toString('base64')}`;
  const { pool } = database;
  ({ onRequest: answer } = answering({
    pool,
    xero,
    tokenKeys,
    now: () => Date.now(),
    origin,
    password,
    resumeWaiting: async (ids) => {
      if (ids.length === 0) return null;
      resumed.push(ids);
      return `${ids.length} waiting workflow looks again now.`;
    },
    schedulesLeft: async ({ connection, applications }) =>
      applications?.length === 0 ? [] : [`The Schedule of "${connection}" fails from now on.`],
    onError: (error) => void errors.push(error),
  }));

  const ask = askingAt(listening.port, origin);

  async function newLink(): Promise<string> {
    const link = newSecret();
    await storeLink(pool, hashOf(link), 'ada');
    return link;
  }

  return {
    sandbox,
    database,
    origin,
    xero,
    tokenKeys,
    errors,
    resumed,
    ask,
    newLink,
    /** A browser that came in by a link. */
    async browser(): Promise<Browser> {
      const browser = new Browser(origin, ask);
      await browser.post('/enter', { link: await newLink() });
      return browser;
    },
    async close() {
      await listening.close();
      await sandbox.close();
      await database.drop();
    },
  };
}

/** One request as it is given, whatever a browser would say to it. */
export function askingAt(port: number, origin: string) {
  return (path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece) => {
          text += piece;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      sent.setHeader('host', new URL(origin).host);
      for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value);
      sent.on('error', reject);
      sent.end(body);
    });
}

export type WebStand = Awaited<ReturnType<typeof startWebStand>>;

export type Fields = Record<string, string | string[]>;

export const encoded = (fields: Fields) =>
  new URLSearchParams(
    Object.entries(fields).flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, each])),
  ).toString();

/** What a browser does of its own accord: cookies, Origin and Sec-Fetch-Site, redirects, and the hidden fields of a form. */
export class Browser {
  cookie = '';
  page = '';
  path = '/';
  private readonly origin: string;
  private readonly ask: (path: string, ask?: Ask) => Promise<Answer>;

  constructor(origin: string, ask: (path: string, ask?: Ask) => Promise<Answer>) {
    this.origin = origin;
    this.ask = ask;
  }

  /** The headers of a form posted from a page of ours. */
  get ownHeaders(): Record<string, string> {
    return {
      cookie: this.cookie,
      origin: this.origin,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/x-www-form-urlencoded',
    };
  }

  get token(): string {
    return /name="token" value="([^"]+)"/.exec(this.page)?.[1] ?? '';
  }

  async get(path: string): Promise<Answer> {
    return this.follow(path, await this.ask(path, { headers: { cookie: this.cookie } }));
  }

  async post(path: string, fields: Fields = {}): Promise<Answer> {
    const body = encoded({ token: this.token, ...fields });
    return this.follow(path, await this.ask(path, { method: 'POST', headers: this.ownHeaders, body }));
  }

  private follow(path: string, answer: Answer): Promise<Answer> | Answer {
    const [set] = answer.headers['set-cookie'] ?? [];
    if (set !== undefined) this.cookie = set.split(';')[0] ?? '';
    const { location } = answer.headers;
    if (typeof location === 'string') return this.get(location);
    this.page = answer.text;
    this.path = path;
    return answer;
  }

  /** Where the page sends the browser on to. */
  get consentAddress(): string {
    const address = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(this.page)?.[1];
    if (address === undefined) throw new Error(`The page does not go on to Xero:\n${this.page}`);
    return address.replaceAll('&amp;', '&');
  }

  /** The names that the page suggests, by tenant, and which of them are ticked. */
  get choices(): { tenantId: string; name: string; ticked: boolean }[] {
    return [...this.page.matchAll(/name="name ([^"]+)" value="([^"]*)"/g)].map(([, tenantId = '', name = '']) => ({
      tenantId,
      name,
      ticked: new RegExp(
        `name="connect" value="${tenantId}" checked|type="hidden" name="connect" value="${tenantId}"`,
      ).test(this.page),
    }));
  }

  /** What it says of the act before: "done: …". */
  get notices(): string[] {
    return [...this.page.matchAll(/class="notice (\w+)" role="\w+"><strong>[^<]*<\/strong> (.*?)<\/p>/gs)].map(
      ([, kind, text = '']) =>
        `${kind}: ${text
          .replaceAll(/<\/?code>/g, '`')
          .replaceAll('&quot;', '"')
          .replaceAll('&amp;', '&')}`,
    );
  }
}
