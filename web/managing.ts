import type { Hono } from 'hono';
import { changeAccess } from '../admin/applications.ts';
import { disconnect } from '../admin/disconnect.ts';
import { ActRefused, unknownConnection } from '../admin/refused.ts';
import { knownApplications, listOverview, listRemoved } from '../storage/overview.ts';
import { leaveNotices, type Notice, takeNotices } from '../storage/web-sessions.ts';
import { formOf } from './guard.ts';
import { adminPlace, type WebEnv, type WebPlace } from './place.ts';
import { applicationsIn } from './views/applications.ts';
import { connectionPage } from './views/connection.ts';
import { disconnectPage } from './views/disconnect.ts';
import { listPage } from './views/list.ts';

const removedShown = 10;

/** The list of connections, and what is done with one of them. */
export function addManaging(app: Hono<WebEnv>, place: WebPlace): void {
  const { pool } = place;

  async function find(name: string) {
    const found = (await listOverview(pool)).find((each) => each.name === name);
    if (found === undefined) throw unknownConnection(name);
    return found;
  }

  app.get('/', async (context) => {
    const visitor = context.get('visitor');
    const [connections, removed] = await Promise.all([listOverview(pool), listRemoved(pool, removedShown)]);
    const notices = await takeNotices(pool, visitor.sessionHash);
    return context.html(listPage({ visitor, notices, connections, removed }));
  });

  app.get('/connections/:name', async (context) => {
    const visitor = context.get('visitor');
    const connection = await find(context.req.param('name'));
    const applications = await knownApplications(pool);
    const notices = await takeNotices(pool, visitor.sessionHash);
    return context.html(connectionPage({ visitor, notices, connection, applications }));
  });

  app.post('/connections/:name/applications', async (context) => {
    const visitor = context.get('visitor');
    const name = context.req.param('name');
    const form = await formOf(context);
    const changed = await changeAccess(adminPlace(place, visitor), name, () => applicationsIn(form)).catch(
      (error: unknown) => {
        if (error instanceof ActRefused) return error;
        throw error;
      },
    );
    if (changed instanceof ActRefused) {
      const connection = await find(name);
      const applications = await knownApplications(pool);
      const filled = {
        ticked: form.getAll('application').map(String),
        typed: `${form.get('newApplication') ?? ''}`,
      };
      const notices: Notice[] = [{ kind: 'failed', text: changed.message }];
      return context.html(connectionPage({ visitor, notices, connection, applications, filled }), 422);
    }
    const { allowed, denied, waiting, stillReading } = changed;
    const said = [
      allowed.length > 0 ? `May use "${name}" now: ${allowed.join(', ')}.` : '',
      denied.length > 0 ? `May not use "${name}" any more: ${denied.join(', ')}.` : '',
    ].filter(Boolean);
    const text = said.join(' ') || 'The applications are as they were.';
    await place.resumeWaiting(waiting);
    const left = await place.schedulesLeft({ connection: name, applications: denied });
    await leaveNotices(pool, visitor.sessionHash, [{ kind: 'done', text }, ...[...stillReading, ...left].map(asNote)]);
    return context.redirect(`/connections/${encodeURIComponent(name)}`, 303);
  });

  app.get('/connections/:name/disconnect', async (context) =>
    context.html(
      disconnectPage({ visitor: context.get('visitor'), connection: await find(context.req.param('name')) }),
    ),
  );

  app.post('/connections/:name/disconnect', async (context) => {
    const visitor = context.get('visitor');
    const name = context.req.param('name');
    const keepAtXero = (await formOf(context)).get('keepAtXero') !== null;
    const { message, waiting } = await disconnect(adminPlace(place, visitor), name, keepAtXero);
    await place.resumeWaiting(waiting);
    const left = await place.schedulesLeft({ connection: name });
    await leaveNotices(pool, visitor.sessionHash, [{ kind: 'done', text: message }, ...left.map(asNote)]);
    return context.redirect('/', 303);
  });
}

function asNote(text: string): Notice {
  return { kind: 'note', text };
}
