import { html } from 'hono/html';
import { type Html, inCode, layout } from './layout.ts';

/** Where an admin comes in: by a link that was printed, or by the password. */
export function enterPage(
  place: { password: string | null },
  { link, problem }: { link?: string; problem?: string } = {},
): Html {
  const title = link === undefined ? 'Sign in' : 'Welcome';
  return layout(
    { title, notices: problem === undefined ? [] : [{ kind: 'failed', text: problem }] },
    html`<div class="card narrow">
      <h1>${title}</h1>
      ${
        link === undefined
          ? html`<p>${inCode(howToEnter(place))}</p>`
          : html`<p>This link opens Daybook’s connect page once, in this browser, for up to 12 hours.</p>
            <form method="post" action="/enter">
              <input type="hidden" name="link" value="${link}">
              <button class="primary" autofocus>Open Daybook</button>
            </form>`
      }
      ${
        link !== undefined || place.password === null
          ? ''
          : html`<form method="post" action="/enter">
            <label for="password">Password</label>
            <input id="password" name="password" type="password" required autocomplete="current-password">
            <button class="primary">Sign in</button>
          </form>`
      }
    </div>`,
  );
}

export function howToEnter({ password }: { password: string | null }): string {
  const link = 'open a link of `daybook web-link`';
  return password === null ? `To sign in, ${link}.` : `To sign in, give the password, or ${link}.`;
}
