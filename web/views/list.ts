import { html } from 'hono/html';
import type { OverviewConnection, RemovedConnection } from '../../storage/overview.ts';
import type { Notice } from '../../storage/web-sessions.ts';
import type { Visitor } from '../place.ts';
import { count, type Html, instant, layout, tokenField } from './layout.ts';
import { badge, callsLeft, lastImport, needsReconnect, openRunWords, statusOf, streamWords } from './status.ts';

/** All connections, with what an admin wants to see of them at once. */
export function listPage(of: {
  visitor: Visitor;
  notices: Notice[];
  connections: OverviewConnection[];
  removed: RemovedConnection[];
}): Html {
  const { visitor, notices, connections, removed } = of;
  const open = connections.flatMap((connection) => connection.openRuns.map((run) => ({ connection, run })));
  return layout(
    { title: 'Connections', notices, formToken: visitor.formToken },
    html`<div class="title"><h1>Connections</h1><a class="button primary" href="/connect">Set up a connection</a></div>
      ${connections.length === 0 ? empty : connectionTable(connections, visitor)}
      ${open.length === 0 ? '' : openTable(open)}
      ${removed.length === 0 ? '' : removedTable(removed)}`,
  );
}

const empty = html`<div class="card"><p>No organisation is connected yet. Set up a connection to import its journals and invoices.</p></div>`;

/** As people order names that hold numbers: client-2 before client-10. */
const { compare } = new Intl.Collator('en', { numeric: true });

/** What somebody must do something about comes first: among hundreds it would be passed over. */
function inOrder(connections: OverviewConnection[]): OverviewConnection[] {
  const rank = (each: OverviewConnection) => (needsReconnect(each) ? 0 : 1);
  return connections.toSorted((one, other) => rank(one) - rank(other) || compare(one.name, other.name));
}

function connectionTable(connections: OverviewConnection[], { formToken }: Visitor): Html {
  return html`<table>
    <caption>Organisations that are connected</caption>
    <thead><tr><th scope="col">Connection</th><th scope="col">Status</th><th scope="col">Applications</th><th scope="col">Last import</th><th scope="col">Calls left today</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
    <tbody>${inOrder(connections).map(
      (connection) => html`<tr>
        <th scope="row" data-label="Connection"><a href="/connections/${connection.name}">${connection.name}</a><span class="hint">${connection.tenantName}</span></th>
        <td data-label="Status">${statusOf(connection)}</td>
        <td data-label="Applications">${connection.applications.join(', ') || html`<span class="hint">none</span>`}</td>
        <td data-label="Last import">${lastImport(connection)}</td>
        <td data-label="Calls left today">${callsLeft(connection)}</td>
        <td class="acts">${needsReconnect(connection) ? reconnectForm(connection.name, formToken) : html`<a class="button" href="/connections/${connection.name}">Edit<span class="unseen"> ${connection.name}</span></a>`}</td>
      </tr>`,
    )}</tbody>
  </table>`;
}

export function reconnectForm(name: string, formToken: string, tone: 'primary' | 'plain' = 'primary'): Html {
  return html`<form method="post" action="/connections/${name}/reconnect">${tokenField(formToken)}<button class="${tone}">Reconnect<span class="unseen"> ${name}</span></button></form>`;
}

function openTable(open: { connection: OverviewConnection; run: OverviewConnection['openRuns'][number] }[]): Html {
  return html`<table>
    <caption>Imports under way</caption>
    <thead><tr><th scope="col">Import</th><th scope="col">Of</th><th scope="col">For</th><th scope="col">What it does</th><th scope="col">Stored so far</th></tr></thead>
    <tbody>${open.map(
      ({ connection, run }) => html`<tr>
        <th scope="row" data-label="Import">${streamWords[run.stream]}<span class="hint">${run.workflowId}</span></th>
        <td data-label="Of">${connection.name}</td>
        <td data-label="For">${run.application}</td>
        <td data-label="What it does">${openRunWords(run)}</td>
        <td data-label="Stored so far">${count(run.stored)}</td>
      </tr>`,
    )}</tbody>
  </table>`;
}

function removedTable(removed: RemovedConnection[]): Html {
  return html`<table>
    <caption>Removed; what they imported stays in the database</caption>
    <thead><tr><th scope="col">Connection</th><th scope="col">Status</th><th scope="col">When</th><th scope="col">By</th></tr></thead>
    <tbody>${removed.map(
      ({ name, tenantName, at, actor }) => html`<tr>
        <th scope="row" data-label="Connection">${name}<span class="hint">${tenantName}</span></th>
        <td data-label="Status">${badge('■', 'idle', 'Removed')}</td>
        <td data-label="When">${instant(at)}</td>
        <td data-label="By">${actor}</td>
      </tr>`,
    )}</tbody>
  </table>`;
}
