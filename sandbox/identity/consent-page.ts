const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => ESCAPES[c] ?? c);

const STYLE = `
:root{color-scheme:light}*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:#eef3f7;color:#14263a;font:16px/1.5 system-ui,sans-serif}
main{width:min(27rem,calc(100vw - 2rem));background:#fff;border-radius:14px;padding:2rem;box-shadow:0 12px 40px #14263a1f}
.mark{display:inline-block;background:#14263a;color:#fff;border-radius:99px;padding:.1rem .8rem;font-size:.8rem;letter-spacing:.04em}
h1{font-size:1.35rem;line-height:1.25;margin:1rem 0 .25rem}p{margin:.25rem 0 1rem;color:#4a5c6f}
label{display:flex;gap:.75rem;align-items:center;padding:.8rem 1rem;border:1px solid #d5dee6;border-radius:10px;margin:.5rem 0;cursor:pointer}
label:hover{border-color:#0a7aa8}input{width:1.1rem;height:1.1rem;accent-color:#0a7aa8}
details{margin:1rem 0;color:#4a5c6f;font-size:.9rem}li{font-family:ui-monospace,monospace;font-size:.82rem}
.row{display:flex;gap:.75rem;margin-top:1.25rem}button{flex:1;padding:.8rem;border-radius:10px;border:1px solid #d5dee6;background:#fff;font:inherit;font-weight:600;cursor:pointer}
button.go{background:#0a7aa8;border-color:#0a7aa8;color:#fff}button:focus-visible,input:focus-visible{outline:3px solid #0a7aa866}
.error{background:#fdecea;color:#8a1c12;border-radius:10px;padding:.6rem 1rem}`;

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main><span class="mark">Sandbox, not Xero</span>${body}</main></body></html>`;

/**
 * The page where organisations are ticked. Its form is posted to the same address, query and all, with the fields
 * `tenant` (a tenant id, once for each organisation) and `action` (`allow` or `cancel`).
 */
export function consentPage(asked: {
  query: string;
  clientId: string;
  scopes: readonly string[];
  organisations: readonly { tenantId: string; name: string }[];
  /** True when only one organisation may be chosen at a time (no bulk connections). */
  single: boolean;
  error?: string;
}): string {
  const choices = asked.organisations.map(
    ({ tenantId, name }, index) =>
      `<label><input type="${asked.single ? 'radio' : 'checkbox'}" name="tenant" value="${escapeHtml(tenantId)}"${index === 0 ? ' checked' : ''}><span>${escapeHtml(name)}</span></label>`,
  );
  return page(
    'Connect an organisation',
    `<h1>${escapeHtml(asked.clientId)} wants access to your organisation’s data</h1>
<p>Choose what to connect. You can disconnect at any time.</p>
${asked.error === undefined ? '' : `<p class="error" role="alert">${escapeHtml(asked.error)}</p>`}
<form method="post" action="/identity/connect/authorize?${escapeHtml(asked.query)}">
${choices.join('\n')}
<details><summary>What it may do</summary><ul>${asked.scopes.map((scope) => `<li>${escapeHtml(scope)}</li>`).join('')}</ul></details>
<div class="row"><button name="action" value="cancel">Cancel</button><button class="go" name="action" value="allow">Allow access</button></div>
</form>`,
  );
}

/** Shown instead of a redirect when the redirect itself cannot be trusted. */
export const authorizeErrorPage = (error: string, detail: string): string =>
  page(
    'Cannot connect',
    `<h1>This request cannot be answered</h1><p class="error" role="alert">${escapeHtml(error)}</p><p>${escapeHtml(detail)}</p>`,
  );
