import { getCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import { secureHeaders } from 'hono/secure-headers';
import { touchSession } from '../storage/web-sessions.ts';
import type { WebContext, WebEnv, WebPlace } from './place.ts';
import { formTokenOf, hashOf, isSame } from './secrets.ts';
import { howToEnter } from './views/enter.ts';
import { messagePage } from './views/message.ts';

// What a request must be before anything of the page answers it (docs/decisions/0013-connect-page.md). A browser on this
// machine visits foreign pages too, and they may send it here: by a name that leads to 127.0.0.1, or by a form.

/** The session's cookie; on https bound to this very host. */
export function cookieName(origin: string): string {
  return origin.startsWith('https:') ? '__Host-daybook' : 'daybook_session';
}

/** Nothing of the page is kept, framed, sent on as a referrer, or loaded from elsewhere; it has no scripts at all. */
export function strictHeaders(origin: string) {
  const set = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
    },
    // Not no-referrer: browsers would then send `Origin: null` with our own forms.
    referrerPolicy: 'same-origin',
    xFrameOptions: 'DENY',
    strictTransportSecurity: origin.startsWith('https:') ? 'max-age=31536000' : false,
  });
  return createMiddleware<WebEnv>(async (context, next) => {
    await set(context, next);
    context.header('cache-control', 'no-store');
  });
}

/** Answers for the page's own host only, to the letter: else a name of somebody's that leads here would do (DNS rebinding). */
export function ownHostOnly({ origin }: WebPlace) {
  const { host } = new URL(origin);
  return createMiddleware<WebEnv>(async (context, next) => {
    if (context.req.header('host') === host) return next();
    return refuse(context, `This page answers at ${origin} only. Open it there.`);
  });
}

/** No name that is kept holds the character NUL, which Postgres does not take: such an address is nobody's. */
export function possibleAddressesOnly() {
  return createMiddleware<WebEnv>(async (context, next) => (/%00/.test(context.req.url) ? context.notFound() : next()));
}

/** A change must come from a page of ours, as the browser says: by Sec-Fetch-Site, and by Origin. */
export function ownPagesOnly({ origin }: WebPlace) {
  return createMiddleware<WebEnv>(async (context, next) => {
    if (['GET', 'HEAD'].includes(context.req.method)) return next();
    const site = context.req.header('sec-fetch-site');
    const from = context.req.header('origin');
    const own =
      site === undefined ? from === origin : site === 'same-origin' && (from === undefined || from === origin);
    if (own) return next();
    return refuse(context, 'This request did not come from a page of Daybook, so nothing was changed.');
  });
}

/** Asks for a session, and for its token in every form. */
export function visitorsOnly(place: WebPlace) {
  return createMiddleware<WebEnv>(async (context, next) => {
    const secret = getCookie(context, cookieName(place.origin));
    const sessionHash = hashOf(secret ?? '');
    const actor = secret === undefined ? null : await touchSession(place.pool, sessionHash);
    if (secret === undefined || actor === null) {
      if (context.req.method === 'GET' && context.req.path === '/') return context.redirect('/enter', 303);
      return refuse(context, `You are not signed in here, or were for too long. ${howToEnter(place)}`, 401);
    }
    const formToken = formTokenOf(secret);
    if (!['GET', 'HEAD'].includes(context.req.method)) {
      const token = (await formOf(context)).get('token');
      if (typeof token !== 'string' || !isSame(token, formToken)) {
        return refuse(context, 'This form is not one of this session, so nothing was changed. Load the page again.');
      }
    }
    context.set('visitor', { actor, sessionHash, formToken });
    return next();
  });
}

/** The fields of a form; none where the body is not one, or has the character NUL, which no browser lets people type. */
export async function formOf(context: WebContext): Promise<FormData> {
  const form = await context.req.formData().catch(() => new FormData());
  const isPossible = [...form].every((field) =>
    field.every((part) => typeof part !== 'string' || !part.includes('\0')),
  );
  return isPossible ? form : new FormData();
}

function refuse(context: WebContext, message: string, status: 401 | 403 = 403) {
  return context.html(messagePage('Not allowed', message), status);
}
