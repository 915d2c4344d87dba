import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createWebApp } from './app.ts';
import type { WebPlace } from './place.ts';

/** Answers requests with the connect page. */
export function answering(place: WebPlace): RequestListener {
  const app = createWebApp(place);
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  return (request, response) => void answer(request, response);
}
