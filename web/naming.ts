import type { Hono } from 'hono';
import { type Connected, connectNamed } from '../admin/connect.ts';
import type { Organisation } from '../admin/consent.ts';
import { entitlementsOf, lackingOf } from '../admin/entitlements.ts';
import type { AdminPlace } from '../admin/place.ts';
import { ActRefused } from '../admin/refused.ts';
import { listConnections, NameRefused } from '../storage/connections.ts';
import { knownApplications } from '../storage/overview.ts';
import { dropSetup, findSetup } from '../storage/web-consents.ts';
import { leaveNotices, type Notice, takeNotices } from '../storage/web-sessions.ts';
import { formOf } from './guard.ts';
import { adminPlace, type WebContext, type WebEnv, type WebPlace } from './place.ts';
import { applicationsIn } from './views/applications.ts';
import { type Filled, setupPage } from './views/setup.ts';

/** After a consent: which of its organisations, under which names, for which applications. */
export function addNaming(app: Hono<WebEnv>, place: WebPlace): void {
  const { pool } = place;

  app.get('/setup/:id', async (context) => {
    const notices = await takeNotices(pool, context.get('visitor').sessionHash);
    return show(context, context.req.param('id'), notices);
  });

  async function show(context: WebContext, id: string, notices: Notice[], filled?: Filled) {
    const visitor = context.get('visitor');
    const setup = await findSetup<Organisation>(pool, visitor.sessionHash, id);
    if (setup === null) throw gone();
    const [connections, applications] = await Promise.all([listConnections(pool), knownApplications(pool)]);
    const page = setupPage({
      visitor,
      id,
      notices,
      organisations: setup.organisations,
      connections,
      applications,
      filled,
    });
    return context.html(page, filled === undefined ? 200 : 422);
  }

  app.post('/setup/:id', async (context) => {
    const visitor = context.get('visitor');
    const id = context.req.param('id');
    const setup = await findSetup<Organisation>(pool, visitor.sessionHash, id);
    if (setup === null) throw gone();
    const form = await formOf(context);
    const applications = applicationsIn(form);
    const wanted = setup.organisations.filter(({ tenantId }) => form.getAll('connect').includes(tenantId));
    const names = new Map(
      setup.organisations.map(({ tenantId }) => [tenantId, `${form.get(`name ${tenantId}`) ?? ''}`.trim()]),
    );
    const filled = { tenantIds: wanted.map(({ tenantId }) => tenantId), names, applications };
    const problem = problemOf(wanted, applications);
    if (problem !== null) return show(context, id, [{ kind: 'failed', text: problem }], filled);

    const at = adminPlace(place, visitor);
    const connected: Connected[] = [];
    const failed: Notice[] = [];
    for (const { tenantId } of wanted) {
      try {
        const name = names.get(tenantId) ?? '';
        connected.push(await connectNamed(at, setup, { name, applications, tenantId }));
      } catch (error) {
        if (!(error instanceof ActRefused || error instanceof NameRefused)) throw error;
        failed.push({ kind: 'failed', text: error.message });
      }
    }
    const said = (await Promise.all(connected.map((each) => sayConnected(at, each)))).flat();
    if (failed.length > 0) {
      const left = filled.tenantIds.filter((tenantId) => !connected.some((each) => each.tenantId === tenantId));
      return show(context, id, [...said, ...failed], { ...filled, tenantIds: left });
    }
    await dropSetup(pool, id);
    await leaveNotices(pool, visitor.sessionHash, said);
    return context.redirect('/', 303);
  });
}

function problemOf(wanted: Organisation[], applications: string[]): string | null {
  if (wanted.length === 0) return 'Choose at least one organisation to connect.';
  if (applications.length === 0) return 'Choose at least one application that may use it, or name a new one.';
  return null;
}

/** That it is connected, and what it cannot be used for. */
async function sayConnected(at: AdminPlace, connected: Connected): Promise<Notice[]> {
  const { name, tenantName, applications } = connected;
  const done = `"${tenantName}" is connected as "${name}", for ${applications.join(', ')}.`;
  return [{ kind: 'done', text: done }, ...(await sayLacking(at, connected))];
}

/** What a connection just made cannot be used for, tried at once. */
export async function sayLacking(at: AdminPlace, connected: Connected): Promise<Notice[]> {
  const lacking = lackingOf(connected, await entitlementsOf(at, connected));
  return lacking.map((text) => ({ kind: 'note', text }));
}

function gone(): ActRefused {
  return new ActRefused('This set-up is over: it was finished, or begun more than an hour ago. Connect again.');
}
