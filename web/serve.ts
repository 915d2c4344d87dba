import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createUnderWay } from '../storage/under-way.ts';
import { createWebApp } from './app.ts';
import type { WebPlace } from './place.ts';

/** What answers requests with the connect page. */
export interface Answering {
  onRequest: RequestListener;
  /**
   * To be called before the pool is ended: resolves once the requests that are being answered are done, also where nobody is
   * there any more to hear the answer, or after half a minute.
   */
  finished(): Promise<void>;
}

/** Xero's token endpoint alone may take 20 s. */
const finishWithinMs = 25_000;

export function answering(place: WebPlace): Answering {
  const app = createWebApp(place);
  const underWay = createUnderWay();
  const fetch = (asked: Request) => underWay.track(Promise.resolve(app.fetch(asked)));
  const answer = getRequestListener(fetch, { overrideGlobalObjects: false });
  return {
    onRequest: (request, response) => void answer(request, response),
    finished: () => underWay.settled(finishWithinMs),
  };
}
