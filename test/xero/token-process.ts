import type pg from 'pg';
import type { XeroApp } from '../../model/xero-app.ts';
import { openPool } from '../../storage/pool.ts';
import { createKeyRing } from '../../xero/sealing.ts';
import { createTokens } from '../../xero/tokens.ts';

// A process that asks for access tokens as a worker does, and stops at a labelled point of each refresh until it is told to go on
// (SIGUSR2), so that a test can break something just there.

/** Where a refresh can be broken, in the order in which it comes by. */
export const points = ['unwritten', 'written', 'sent', 'rotated', 'answered', 'storing', 'stored'] as const;
export type Point = (typeof points)[number];

export interface TokenWork {
  tokenKeys: string;
  places: { databaseUrl: string; xero: XeroApp }[];
  /** `clients`: how many token sources with caches of their own ask, all at once when told to go on. */
  asked: { place: number; authorisationId: string; point: Point | null; clients: number }[];
}

/** Waits at a point of the refresh of one authorisation, once. */
type Halt = (point: Point) => Promise<void>;

const goOn = new Promise<void>((resolve) => process.once('SIGUSR2', () => resolve()));
// A promise alone does not keep the process.
const alive = setInterval(() => {}, 1_000);

function haltAt(wanted: Point | null, authorisationId: string): Halt {
  let reached = false;
  return async (point) => {
    if (point !== wanted || reached) return;
    reached = true;
    console.log(`reached ${authorisationId}`);
    // These two are held by the sandbox, which was told to keep the request, or the answer, for a while.
    if (point !== 'sent' && point !== 'rotated') await goOn;
  };
}

/** A pool whose transactions halt before the attempt is written, and before and after the commit of a new pair. */
function halting(pool: pg.Pool, halt: Halt): pg.Pool {
  const connect = async () => {
    const client = await pool.connect();
    let storing = false;
    const query = async (text: string, values?: unknown[]) => {
      if (text.includes('insert into daybook.refresh_attempt')) await halt('unwritten');
      const result = await client.query(text, values);
      if (text.includes('insert into daybook.authorisation_token')) {
        storing = true;
        // The minute after which Postgres ends a transaction that sleeps, shortened.
        await client.query('set idle_in_transaction_session_timeout = 1500');
        await halt('storing');
        await client.query('set idle_in_transaction_session_timeout = 60000');
      }
      if (text === 'commit' && storing) await halt('stored');
      return result;
    };
    return new Proxy(client, {
      get: (target, name) => {
        if (name === 'query') return query;
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  return { query: pool.query.bind(pool), connect } as unknown as pg.Pool;
}

/** Whose refresh a call of fetch belongs to is told by its refresh token, which only its own token source holds. */
const realFetch = globalThis.fetch;
function fetchFor(halt: Halt, point: Point | null): typeof fetch {
  return async (input, init) => {
    await halt('written');
    const address = new URL(String(input));
    if (point !== null) address.searchParams.set('point', point);
    const response = realFetch(address, init);
    setTimeout(() => void halt('sent').then(() => halt('rotated')), 50);
    const answer = await response;
    await halt('answered');
    return answer;
  };
}

if (process.env.TOKEN_WORK) {
  const { tokenKeys, places, asked } = JSON.parse(process.env.TOKEN_WORK) as TokenWork;
  const silent = { info() {}, warn() {}, error() {} };
  const pools = places.map(({ databaseUrl }) => openPool(databaseUrl, 16, () => {}));
  const { AsyncLocalStorage } = await import('node:async_hooks');
  const current = new AsyncLocalStorage<typeof fetch>();
  globalThis.fetch = (input, init) => (current.getStore() ?? realFetch)(input, init);
  console.log('ready');
  const ask = async ({ place, authorisationId, point }: TokenWork['asked'][number]) => {
    const halt = haltAt(point, authorisationId);
    const pool = pools[place];
    const xero = places[place]?.xero;
    if (!pool || !xero) throw new Error(`There is no place ${place}.`);
    const tokens = createTokens({
      pool: point === null ? pool : halting(pool, halt),
      xero,
      keys: createKeyRing(tokenKeys),
      now: () => Date.now(),
      log: silent,
    });
    if (point === null) await goOn;
    await current.run(fetchFor(halt, point), async () => {
      for (;;) {
        const answer = await tokens.accessToken(authorisationId).catch((error: Error) => error);
        if ('kind' in answer && answer.kind === 'token') return;
        // As Temporal would.
        await new Promise((resolve) => setTimeout(resolve, 200));
        if ('kind' in answer && answer.kind === 'needsReconnect') return console.log(`lost ${authorisationId}`);
      }
    });
  };
  await Promise.all(asked.flatMap((each) => Array.from({ length: each.clients }, () => ask(each))));
  console.log('done');
  clearInterval(alive);
  await Promise.all(pools.map((pool) => pool.end()));
} else {
  clearInterval(alive);
}
