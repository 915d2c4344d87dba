import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { ActRefused } from '../admin/refused.ts';
import { NameRefused } from '../storage/connections.ts';
import { leaveNotices } from '../storage/web-sessions.ts';
import { addConnecting, addHandovers } from './connecting.ts';
import { addEntering, addLeaving } from './entering.ts';
import { ownHostOnly, ownPagesOnly, possibleAddressesOnly, strictHeaders, visitorsOnly } from './guard.ts';
import { addManaging } from './managing.ts';
import { addNaming } from './naming.ts';
import type { WebContext, WebEnv, WebPlace } from './place.ts';
import { messagePage } from './views/message.ts';

const mostBytes = 64 * 1_024;
const asset = (name: string) => readFileSync(new URL(`../web/assets/${name}`, import.meta.url), 'utf8');

/** The connect page: what answers a request. */
export function createWebApp(place: WebPlace): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  const [style, icon] = [asset('frame.css') + asset('controls.css'), asset('icon.svg')];
  app.use(strictHeaders(place.origin));
  app.use(ownHostOnly(place));
  app.use(possibleAddressesOnly());
  app.use(ownPagesOnly(place));
  const onError = (context: WebContext) => context.html(messagePage('Too large', 'This form is too large.'), 413);
  app.use(bodyLimit({ maxSize: mostBytes, onError }));

  app.get('/style.css', (context) => context.body(style, 200, { 'content-type': 'text/css; charset=utf-8' }));
  app.get('/icon.svg', (context) => context.body(icon, 200, { 'content-type': 'image/svg+xml' }));
  addHandovers(app, place);
  addEntering(app, place);

  app.use(visitorsOnly(place));
  addLeaving(app, place);
  addManaging(app, place);
  addConnecting(app, place);
  addNaming(app, place);

  app.notFound((context) =>
    context.html(messagePage('Not found', 'There is no such page. The connections are at /.'), 404),
  );
  app.onError(async (error, context) => {
    const refused = error instanceof ActRefused || error instanceof NameRefused;
    const visitor = context.get('visitor');
    if (refused && visitor !== undefined) {
      // Told on the list, at an address that can be loaded again.
      await leaveNotices(place.pool, visitor.sessionHash, [{ kind: 'failed', text: error.message }]);
      return context.redirect('/', 303);
    }
    place.onError(error);
    const sentence =
      'Something went wrong that should not have. What it was is in the log of the process that serves this page.';
    return context.html(messagePage('Something went wrong', sentence), 500);
  });
  return app;
}
