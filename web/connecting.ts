import type { Hono } from 'hono';
import { connectNamed } from '../admin/connect.ts';
import { beginConsent, type Consented, finishConsent } from '../admin/consent.ts';
import { isCustom, reachOfApp } from '../admin/custom-connection.ts';
import { keysOf } from '../admin/place.ts';
import { ActRefused } from '../admin/refused.ts';
import { findConnection } from '../storage/connections.ts';
import { handOver, isAwaited } from '../storage/consent-handover.ts';
import { workflowsAwaitingReconnect } from '../storage/waiting-workflows.ts';
import { storeConsent, storeSetup, takeConsent } from '../storage/web-consents.ts';
import { leaveNotices, type Notice } from '../storage/web-sessions.ts';
import { goesOnInTerminal, handoverBinding } from './handover.ts';
import { sayLacking } from './naming.ts';
import { adminPlace, type WebContext, type WebEnv, type WebPlace } from './place.ts';
import { hashOf } from './secrets.ts';
import { connectPage, leavingPage } from './views/connect.ts';
import { messagePage } from './views/message.ts';

/** Where Xero's callbacks come in: from consents begun here, and from those that a terminal waits for. */
export function addHandovers(app: Hono<WebEnv>, place: WebPlace): void {
  const { pool } = place;
  const keys = keysOf(place);

  // How a terminal finds out whether the page that has its port works on the same database.
  app.get('/oauth/awaited/:hash', async (context) => {
    const awaited = await isAwaited(pool, Buffer.from(context.req.param('hash'), 'hex'));
    return context.body(null, awaited ? 204 : 404);
  });

  app.get(callbackPath(place), async (context, next) => {
    const state = context.req.query('state') ?? '';
    const stateHash = hashOf(state);
    if (!(await isAwaited(pool, stateHash))) return next();
    const { search } = new URL(context.req.url);
    const handedOver = await handOver(pool, stateHash, await keys.seal(search, handoverBinding(stateHash)));
    return handedOver ? context.html(messagePage('Thank you', goesOnInTerminal)) : next();
  });
}

/** A connection's beginning: to Xero's consent page, and back. */
export function addConnecting(app: Hono<WebEnv>, place: WebPlace): void {
  const { pool, xero } = place;
  const keys = keysOf(place);
  const bindingOf = (stateHash: Buffer) => ['consent of the connect page', stateHash.toString('hex')];

  app.get('/connect', (context) => context.html(connectPage(context.get('visitor'))));
  app.post('/connect', (context) => begin(context, null));
  app.post('/connections/:name/reconnect', (context) => begin(context, context.req.param('name')));

  async function begin(context: WebContext, reconnects: string | null) {
    const visitor = context.get('visitor');
    const at = adminPlace(place, visitor);
    if (reconnects !== null && (await isCustom(at, reconnects))) {
      return reconnect(context, await reachOfApp(at), reconnects);
    }
    if (new URL(xero.redirectUri).origin !== place.origin) {
      throw new ActRefused(
        `Xero would send you to ${xero.redirectUri}, which is not this page. Set XERO_REDIRECT_URI to ${place.origin}/oauth/callback, and register that address in the Xero app.`,
      );
    }
    const { address, state, codeVerifier } = await beginConsent(at);
    const stateHash = hashOf(state);
    const sealed = await keys.seal(codeVerifier, bindingOf(stateHash));
    await storeConsent(pool, { stateHash, sessionHash: visitor.sessionHash, sealed, reconnects });
    return context.html(leavingPage(visitor, address));
  }

  // The one GET that changes something: guarded by the state, which works once and in the session that began it. It ends
  // in a redirect, so that the code stays in no address bar.
  app.get(callbackPath(place), async (context) => {
    const visitor = context.get('visitor');
    const { search } = new URL(context.req.url);
    const state = context.req.query('state') ?? '';
    const stateHash = hashOf(state);
    const begun = await takeConsent(pool, stateHash, visitor.sessionHash);
    if (begun === null) {
      return context.html(
        messagePage(
          'Nothing was connected',
          'This answer does not belong to a consent that was begun here, in this browser, within the last ten minutes; or it was used already. Go back to the start, and connect again.',
        ),
        403,
      );
    }
    const at = adminPlace(place, visitor);
    const codeVerifier = await keys.open(begun.sealed, bindingOf(stateHash));
    const consented = await finishConsent(at, { callbackUrl: `${xero.redirectUri}${search}`, state, codeVerifier });
    if (begun.reconnects !== null) return reconnect(context, consented, begun.reconnects);
    await leaveNotices(pool, visitor.sessionHash, [...notCovered(consented), ...(await resume(consented))]);
    return context.redirect(`/setup/${await storeSetup(pool, visitor.sessionHash, consented)}`, 303);
  });

  async function reconnect(context: WebContext, consented: Consented, name: string) {
    const visitor = context.get('visitor');
    const tenantId = (await findConnection(pool, name))?.tenantId;
    const covered = consented.organisations.some((each) => each.tenantId === tenantId);
    const notices: Notice[] = [];
    if (tenantId === undefined) notices.push({ kind: 'failed', text: `There is no connection "${name}" any more.` });
    else if (!covered) {
      const reached = consented.organisations.map(({ tenantName }) => tenantName).join(', ');
      notices.push({
        kind: 'failed',
        text: `The consent does not cover the organisation of "${name}". It covers ${reached}. Reconnect again, and choose the right one on Xero’s page.`,
      });
    } else {
      const at = adminPlace(place, visitor);
      const connected = await connectNamed(at, consented, { name, applications: [], tenantId });
      notices.push({ kind: 'done', text: `"${name}" (${connected.tenantName}) is connected again.` });
      notices.push(...(await sayLacking(at, connected)));
    }
    notices.push(...notCovered(consented, name), ...(await resume(consented)));
    await leaveNotices(pool, visitor.sessionHash, notices);
    return context.redirect('/', 303);
  }

  /** The connections that the consent covers have moved along with it, and so do the imports that waited for it. */
  async function resume({ authorisationId }: Consented): Promise<Notice[]> {
    const waiting = await workflowsAwaitingReconnect(pool, authorisationId);
    const text = await place.resumeWaiting(waiting);
    return text === null ? [] : [{ kind: 'done', text }];
  }
}

/** Of a connection that was to be reconnected itself, more is said. */
function notCovered({ uncovered }: Consented, reconnected?: string): Notice[] {
  return uncovered
    .filter(({ name }) => name !== reconnected)
    .map(({ name, tenantName }) => ({
      kind: 'note',
      text: `This consent does not cover "${name}" (${tenantName}), which needs one of its own: press Reconnect beside it in the list of connections.`,
    }));
}

function callbackPath({ xero }: WebPlace): string {
  return new URL(xero.redirectUri).pathname;
}
