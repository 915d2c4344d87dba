import { html } from 'hono/html';
import type { OverviewConnection } from '../../storage/overview.ts';
import type { Visitor } from '../place.ts';
import { type Html, layout, tokenField } from './layout.ts';

/** Asks once more before a connection is removed. */
export function disconnectPage({ visitor, connection }: { visitor: Visitor; connection: OverviewConnection }): Html {
  const { name, tenantName, applications, openRuns } = connection;
  return layout(
    { title: `Disconnect ${name}`, formToken: visitor.formToken },
    html`<div class="card">
      <h1>Disconnect ${name}?</h1>
      <ul>
        <li>${tenantName} is disconnected at Xero, so nothing can be imported from it any more.</li>
        <li>${applications.length === 0 ? 'No application uses it.' : html`${applications.join(', ')} cannot use it any more.`} Running imports: ${openRuns.length === 0 ? 'none.' : html`${openRuns.length}; they stop at their next page.`}</li>
        <li>Its schema of views goes, and so does what was built straight on them. The imported tables stay.</li>
      </ul>
      <form method="post" action="/connections/${name}/disconnect">
        ${tokenField(visitor.formToken)}
        <label class="choice"><input type="checkbox" name="keepAtXero"> Forget it here only, and leave it connected at Xero</label>
        <div class="actions"><button class="danger">Disconnect</button> <a class="button" href="/connections/${name}">Keep it</a></div>
      </form>
    </div>`,
  );
}
