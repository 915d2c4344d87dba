import { html } from 'hono/html';
import type { Visitor } from '../place.ts';
import { type Html, layout, tokenField } from './layout.ts';

/** Before the consent: what will happen. */
export function connectPage({ formToken }: Visitor): Html {
  return layout(
    { title: 'Set up a connection', formToken },
    html`<div class="card">
      <h1>Set up a connection</h1>
      <ol class="steps">
        <li><strong>Allow it at Xero.</strong> Sign in there as a user who sees the organisation’s journals, choose one organisation or several, and allow Daybook to read them. It never writes.</li>
        <li><strong>Name it here.</strong> You come back to this page and give each organisation a name.</li>
        <li><strong>Say who may use it.</strong> Only the applications you list can import through it and read what was imported.</li>
      </ol>
      <form method="post" action="/connect" class="actions">
        ${tokenField(formToken)}
        <button class="primary">Connect to Xero</button>
        <a class="button" href="/">Back</a>
      </form>
    </div>`,
  );
}

/** On the way to Xero: not a redirect of the form, which the page's own Content-Security-Policy would have to allow. */
export function leavingPage({ formToken }: Visitor, address: string): Html {
  return layout(
    { title: 'To Xero', formToken, goesOnTo: address },
    html`<div class="card narrow">
      <h1>You are on your way to Xero</h1>
      <p>If nothing happens, <a href="${address}">go on to Xero’s consent page</a>.</p>
    </div>`,
  );
}
