import { html } from 'hono/html';
import type { OverviewConnection } from '../../storage/overview.ts';
import type { Notice } from '../../storage/web-sessions.ts';
import type { Visitor } from '../place.ts';
import { applicationFields } from './applications.ts';
import { type Html, layout, tokenField } from './layout.ts';
import { reconnectForm } from './list.ts';
import { callsLeft, importable, lastImport, needsReconnect, statusOf } from './status.ts';

/** One connection: what it is, and what can be changed of it. */
export function connectionPage(of: {
  visitor: Visitor;
  notices: Notice[];
  connection: OverviewConnection;
  applications: string[];
  /** What was filled in before, when it has to be corrected. */
  filled?: { ticked: string[]; typed: string };
}): Html {
  const { visitor, notices, connection, filled } = of;
  const { name, tenantName, tenantId, lost } = connection;
  const { formToken } = visitor;
  return layout(
    { title: name, notices, formToken },
    html`<p><a href="/">All connections</a></p>
      <div class="title"><h1>${name}</h1>${statusOf(connection)}</div>
      <dl>
        <dt>Organisation</dt><dd>${tenantName}<span class="hint">tenant ${tenantId}</span></dd>
        <dt>Can be imported</dt><dd>${importable(connection)}</dd>
        <dt>Last import</dt><dd>${lastImport(connection)}</dd>
        <dt>Calls left today</dt><dd>${callsLeft(connection)}</dd>
      </dl>
      <form method="post" action="/connections/${name}/applications" class="card">
        <h2>Access</h2>
        ${tokenField(formToken)}
        ${applicationFields(of.applications, filled?.ticked ?? connection.applications, 'it', filled?.typed)}
        <p class="hint">A change takes effect at once: a running import of an application that is taken off stops at its next page.</p>
        <div class="actions"><button class="primary">Save</button></div>
      </form>
      <div class="card">
        <h2>Reconnect</h2>
        <p>${lost === null ? 'Gives this connection a fresh consent, by you or another Xero user. Imports that wait for one go on at once.' : lost}</p>
        ${reconnectForm(name, formToken, needsReconnect(connection) ? 'primary' : 'plain')}
      </div>
      <div class="card">
        <h2>Disconnect</h2>
        <p>Ends the link at Xero and forgets the connection. What it imported stays in the database.</p>
        <a class="button danger" href="/connections/${name}/disconnect">Disconnect …</a>
      </div>`,
  );
}
