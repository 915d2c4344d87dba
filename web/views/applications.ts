import { html } from 'hono/html';
import type { Html } from './layout.ts';

/** Which applications may use a connection: those that are known as checkboxes, and a field for new ones, with what was typed there. */
export function applicationFields(known: readonly string[], ticked: readonly string[], what = 'it', typed = ''): Html {
  const names = [...new Set([...known, ...ticked])].sort();
  return html`<fieldset>
    <legend>Applications that may use ${what}</legend>
    <p class="hint">An application is whoever starts imports and reads what they stored, such as <code>planning</code>.</p>
    ${names.map(
      (name) =>
        html`<label class="choice"><input type="checkbox" name="application" value="${name}"${ticked.includes(name) ? html` checked` : ''}> ${name}</label>`,
    )}
    <label for="new-application">${names.length === 0 ? 'Its name' : 'Another one (its name)'}</label>
    <input id="new-application" name="newApplication" value="${typed}" maxlength="63" autocomplete="off" spellcheck="false" aria-describedby="new-application-hint">
    <p class="hint" id="new-application-hint">Letters, digits, spaces, - and _; several separated by commas.</p>
  </fieldset>`;
}

/** The applications that the fields of such a form name. */
export function applicationsIn(form: FormData): string[] {
  const fresh = `${form.get('newApplication') ?? ''}`.split(',');
  const all = [...form.getAll('application').map(String), ...fresh].map((name) => name.trim()).filter(Boolean);
  return [...new Set(all)];
}
