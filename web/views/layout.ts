import { html } from 'hono/html';
import type { Notice } from '../../storage/web-sessions.ts';

/** A piece of a page; whatever was put into it is escaped. */
export type Html = ReturnType<typeof html>;

export interface Page {
  title: string;
  /** What is said of the act before. */
  notices?: readonly Notice[];
  /** Of the visitor, for the form that signs out; absent before there is one. */
  formToken?: string;
  /** Where the browser goes on to at once. */
  goesOnTo?: string;
}

/** The frame of every page. */
export function layout({ title, notices = [], formToken, goesOnTo }: Page, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    ${goesOnTo === undefined ? '' : html`<meta http-equiv="refresh" content="0; url=${goesOnTo}">`}
    <title>${title} · Daybook</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/style.css">
  </head>
  <body>
    <a class="skip" href="#main">Skip to the page’s content</a>
    <header>
      <a class="brand" href="/"><img src="/icon.svg" alt="" width="26" height="26"> Daybook</a>
      ${formToken === undefined ? '' : html`<form method="post" action="/leave">${tokenField(formToken)}<button class="quiet">Sign out</button></form>`}
    </header>
    <main id="main" tabindex="-1">
      ${notices.map(noticeBox)}
      ${body}
    </main>
  </body>
</html>
`;
}

/** What every form of a session carries. */
export function tokenField(formToken: string): Html {
  return html`<input type="hidden" name="token" value="${formToken}">`;
}

const noticeWords = { done: 'Done', note: 'Note', failed: 'Not done' };

function noticeBox({ kind, text }: Notice): Html {
  return html`<p class="notice ${kind}" role="${kind === 'failed' ? 'alert' : 'status'}"><strong>${noticeWords[kind]}.</strong> ${inCode(text)}</p>`;
}

/** A sentence of ours; what stands in backticks is a command. */
export function inCode(text: string): Html[] {
  return text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** An instant, in UTC as in the rest of Daybook. */
export function instant(at: Date): Html {
  const iso = at.toISOString();
  const words = `${at.getUTCDate()} ${months[at.getUTCMonth()]} ${at.getUTCFullYear()}, ${iso.slice(11, 16)} UTC`;
  return html`<time datetime="${iso}">${words}</time>`;
}

/** A count, with commas between its thousands. */
export function count(number: number): string {
  return number.toLocaleString('en-GB');
}
