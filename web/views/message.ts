import { html } from 'hono/html';
import { type Html, inCode, layout } from './layout.ts';

/** A page that says one thing. */
export function messagePage(title: string, message: string): Html {
  return layout({ title }, html`<h1>${title}</h1><p>${inCode(message)}</p>`);
}
