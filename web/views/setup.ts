import { html } from 'hono/html';
import { meantBy, type Organisation } from '../../admin/consent.ts';
import { suggestName } from '../../admin/names.ts';
import type { Connection } from '../../storage/connections.ts';
import type { Notice } from '../../storage/web-sessions.ts';
import type { Visitor } from '../place.ts';
import { applicationFields } from './applications.ts';
import { type Html, layout, tokenField } from './layout.ts';

/** What was filled in before, when it has to be corrected. */
export interface Filled {
  tenantIds: string[];
  /** By tenant id. */
  names: Map<string, string>;
  applications: string[];
}

/** After a consent: names and applications of its organisations. */
export function setupPage(of: {
  visitor: Visitor;
  id: string;
  notices: Notice[];
  organisations: Organisation[];
  connections: Connection[];
  applications: string[];
  filled?: Filled | undefined;
}): Html {
  const { visitor, organisations, connections, filled } = of;
  const taken = connections.map(({ name }) => name);
  const choices = organisations.map((organisation) => {
    const suggested = suggestName(organisation.tenantName, taken);
    taken.push(suggested);
    const connectedAs = connections
      .filter(({ tenantId }) => tenantId === organisation.tenantId)
      .map(({ name }) => name);
    return {
      ...organisation,
      title: titleOf(organisation, organisations),
      connectedAs,
      name: filled?.names.get(organisation.tenantId) ?? suggested,
    };
  });
  const ticked = filled?.tenantIds ?? preselected(choices);
  const single = choices.length === 1;
  return layout(
    { title: 'Name the connection', notices: of.notices, formToken: visitor.formToken },
    html`<div class="card">
      <h1>${single ? 'Name the connection' : 'Which organisations?'}</h1>
      <p>${single ? 'Xero allows Daybook to read this organisation.' : 'Xero allows Daybook to read several organisations of yours. Each becomes a connection of its own; they share one authorisation.'}</p>
      <form method="post" action="/setup/${of.id}">
        ${tokenField(visitor.formToken)}
        ${choices.map((choice, index) => organisationFields(choice, index, single, ticked.includes(choice.tenantId)))}
        ${applicationFields(of.applications, filled?.applications ?? [], single ? 'it' : 'them')}
        <div class="actions"><button class="primary">Save</button> <a class="button" href="/">Not now</a></div>
      </form>
    </div>`,
  );
}

type Choice = Organisation & { title: string; connectedAs: string[]; name: string };

/** Its name; where two have the same, Xero's demo companies say, its tenant too. */
function titleOf({ tenantName, tenantId }: Organisation, all: Organisation[]): string {
  const alone = all.every((other) => other.tenantId === tenantId || other.tenantName !== tenantName);
  return alone ? tenantName : `${tenantName} (tenant ${tenantId})`;
}

/** Those that this consent named and that are not connected yet, or the only one; never the first of a list. */
function preselected(choices: Choice[]): string[] {
  const meant = meantBy(choices)?.tenantId;
  return choices
    .filter(
      ({ tenantId, ofThisConsent, connectedAs }) => (ofThisConsent && connectedAs.length === 0) || tenantId === meant,
    )
    .map(({ tenantId }) => tenantId);
}

function organisationFields(
  { tenantId, title, name, connectedAs }: Choice,
  index: number,
  single: boolean,
  on: boolean,
): Html {
  const id = `name-${index}`;
  const hints = [`${id}-hint`, ...(connectedAs.length > 0 ? [`${id}-connected`] : [])].join(' ');
  return html`<fieldset>
    <legend>${title}</legend>
    ${
      single
        ? html`<input type="hidden" name="connect" value="${tenantId}">`
        : html`<label class="choice"><input type="checkbox" name="connect" value="${tenantId}"${on ? html` checked` : ''}> Connect ${title}</label>`
    }
    ${connectedAs.length === 0 ? '' : html`<p class="hint" id="${id}-connected">Connected already, as ${connectedAs.join(', ')}.</p>`}
    <label for="${id}">Name of the connection</label>
    <input id="${id}" name="name ${tenantId}" value="${name}" required maxlength="57" pattern="[a-z0-9][a-z0-9_\\-]*" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="${hints}">
    <p class="hint" id="${id}-hint">Small letters, digits, - and _. Imports are started by this name.</p>
  </fieldset>`;
}
