import type { Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { endSession, openSession, takeLink } from '../storage/web-sessions.ts';
import { cookieName, formOf } from './guard.ts';
import { knownBrowsers, knownCookieName } from './known-browsers.ts';
import type { WebContext, WebEnv, WebPlace } from './place.ts';
import { hashOf, isSame, newSecret } from './secrets.ts';
import { enterPage } from './views/enter.ts';

const triesAMinute = 5;
const aYear = 365 * 24 * 3_600;

/**
 * The way in, before there is a session: a one-time link, or the password where there is one. The link's page only shows a
 * button, so that whatever looks at links ahead of the admin does not use it up.
 */
export function addEntering(app: Hono<WebEnv>, place: WebPlace): void {
  // Of each known browser, and of all others together.
  const wrongTries = new Map<string, number[]>();
  const known = knownBrowsers(place);
  const open = async (context: WebContext, actor: string) => {
    const secret = newSecret();
    await openSession(place.pool, hashOf(secret), actor);
    setCookie(context, cookieName(place.origin), secret, {
      httpOnly: true,
      secure: place.origin.startsWith('https:'),
      // Lax, as the callback comes from Xero's page.
      sameSite: 'Lax',
      path: '/',
    });
    return context.redirect('/', 303);
  };
  const introduce = (context: WebContext) =>
    setCookie(context, knownCookieName(place.origin), known.introduce(), {
      httpOnly: true,
      secure: place.origin.startsWith('https:'),
      sameSite: 'Strict',
      path: '/',
      maxAge: aYear,
    });

  app.get('/enter', (context) => context.html(enterPage(place)));
  app.get('/enter/:link', (context) => context.html(enterPage(place, { link: context.req.param('link') })));
  app.post('/enter', async (context) => {
    const form = await formOf(context);
    const [link, password] = [form.get('link'), form.get('password')];
    if (typeof link === 'string') {
      const actor = await takeLink(place.pool, hashOf(link));
      if (actor !== null) return open(context, `web (${actor})`);
      return context.html(
        enterPage(place, { problem: 'This link was used already, or is older than ten minutes.' }),
        401,
      );
    }
    const minuteAgo = place.now() - 60_000;
    const who = known.recognise(getCookie(context, knownCookieName(place.origin))) ?? 'unknown';
    const recent = (wrongTries.get(who) ?? []).filter((at) => at > minuteAgo);
    if (recent.length >= triesAMinute) {
      return context.html(
        enterPage(place, { problem: 'There were too many wrong passwords. Wait a minute, or open a link.' }),
        429,
      );
    }
    if (place.password !== null && typeof password === 'string' && isSame(password, place.password)) {
      if (who === 'unknown') introduce(context);
      return open(context, 'web (password)');
    }
    wrongTries.set(who, [...recent, place.now()]);
    return context.html(enterPage(place, { problem: 'The password is not right.' }), 401);
  });
}

/** The way out. */
export function addLeaving(app: Hono<WebEnv>, place: WebPlace): void {
  app.post('/leave', async (context) => {
    await endSession(place.pool, context.get('visitor').sessionHash);
    deleteCookie(context, cookieName(place.origin), { path: '/', secure: place.origin.startsWith('https:') });
    return context.redirect('/enter', 303);
  });
}
