import { createInterface } from 'node:readline';
import { ConfigurationError } from '../config/config.ts';
import { type Listening, listenForCallback } from './callback.ts';

const patienceMs = 10 * 60_000;

interface Asked {
  redirectUri: string;
  /** The consent page's own address: its state tells which answer is meant. */
  consentAddress: string;
  /** Receives the callback where its port is another's; null when that is not possible either. */
  elsewhere: (state: string, take: (answer: string | Error) => void) => Promise<Listening | null>;
  /** Called when an answer can be taken: the consent may begin. */
  invite: () => void;
  /** To the person at the terminal. */
  say: (line: string) => void;
}

/**
 * The address that Xero sends the admin's browser to after the consent: as a callback on this machine (to this process, or
 * to the connect page that has its port), or pasted into the terminal, whichever comes first. The browser may be on another
 * machine, or the port another's: it shows an error then, and its address bar holds the answer all the same. One that cannot
 * be meant is said to be wrong, and the next is waited for.
 * @throws ConfigurationError when no answer came within ten minutes, or none can come any more.
 */
export async function answerOfConsent(asked: Asked): Promise<string> {
  const { redirectUri, consentAddress, invite, say } = asked;
  const state = new URL(consentAddress).searchParams.get('state') ?? '';
  const problemOf = (address: string) => problemWith(address, redirectUri, state);
  let settle: (answer: string | Error) => void = () => {};
  const settled = new Promise<string | Error>((resolve) => {
    settle = resolve;
  });
  const here = await listenForCallback(redirectUri, (address) => {
    const problem = problemOf(address);
    if (problem === null) settle(address);
    return problem;
  });
  const elsewhere = here.trouble === null ? null : await asked.elsewhere(state, settle);
  const trouble = elsewhere === null ? here.trouble : null;
  // Without a prompt of its own: the text may be a pipe's as well as a person's.
  const lines = createInterface({ input: process.stdin, terminal: false });
  lines.on('line', (line) => {
    if (line.trim() === '') return;
    const address = whole(line);
    const problem = problemOf(address);
    if (problem === null) settle(address);
    else say(`${problem} Paste the address again:`);
  });
  lines.on('close', () => {
    if (trouble === null) return;
    settle(new ConfigurationError(`${trouble} No address was pasted either. Begin again.`));
  });
  const timer = setTimeout(
    () => settle(new ConfigurationError('No answer came from Xero’s consent page within 10 minutes. Begin again.')),
    patienceMs,
  );
  try {
    invite();
    say(
      trouble === null
        ? 'Is the browser on another machine? Paste here the address it ends on, though it shows an error:'
        : `${trouble} Paste here the address that the browser ends on, though it may show an error:`,
    );
    const answer = await settled;
    if (answer instanceof Error) throw answer;
    return answer;
  } finally {
    clearTimeout(timer);
    lines.removeAllListeners('close');
    lines.close();
    process.stdin.destroy();
    await Promise.all([here.close(), elsewhere?.close()]);
  }
}

/** As a browser shows it: without its scheme perhaps, or as a shell or a chat quotes it. */
function whole(line: string): string {
  const text = line.trim().replace(/^["'<]+|["'>]+$/g, '');
  return /^https?:\/\//i.test(text) ? text : `http://${text}`;
}

/** Why an address cannot be the answer; null when it can. What it holds is not repeated: it may be another's code. */
function problemWith(address: string, redirectUri: string, state: string): string | null {
  const wanted = new URL(redirectUri);
  const found = URL.canParse(address) ? new URL(address) : null;
  if (found?.pathname.endsWith('/connect/authorize')) {
    return 'That is the consent page’s own address. Open it, allow the connection, and take the address that comes after it.';
  }
  if (found === null || found.pathname !== wanted.pathname) {
    return `That is not the address the consent ends on: it begins with ${redirectUri}?`;
  }
  const { searchParams } = found;
  if (!searchParams.get('state') || !(searchParams.get('code') || searchParams.get('error'))) {
    return 'That address is cut short: it has to hold a code and a state.';
  }
  if (searchParams.get('state') !== state) {
    return 'That address belongs to another consent than the one begun here, so its code was not used.';
  }
  return null;
}
