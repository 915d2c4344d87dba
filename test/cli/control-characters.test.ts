import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Display, displayOn } from '../../cli/display.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { daybook } from '../support/daybook.ts';

// Whoever may rename an organisation in Xero writes on the terminal of whoever looks at it here.

const written = 'Acme \u001b[31m\u202egnitnuocca\u202c \u0007\u009b2J';
const shown = 'Acme \\u001b[31m\\u202egnitnuocca\\u202c \\u0007\\u009b2J';
const commands = /(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;
let database: TestDatabase;
const command = (...args: string[]) => daybook(args, { DATABASE_URL: database.url });

beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query(
    `insert into daybook.connection (name, authorisation_id, tenant_id, tenant_name)
     values ('acme', gen_random_uuid(), gen_random_uuid(), $1)`,
    [`${written}\n`],
  );
});
afterAll(() => database.drop());

test('what others wrote commands no terminal: tables, sentences and errors show such characters by their numbers', async () => {
  for (const args of [
    ['connections', 'list'],
    ['connections', 'show', 'acme'],
    ['connections', 'show', written],
    ['connections', 'list', '--json'],
  ]) {
    const { stdout, stderr } = await command(...args);
    expect(`${stdout}${stderr}`, args.join(' ')).toContain(shown);
    expect(`${stdout}${stderr}`, args.join(' ')).not.toMatch(commands);
  }
});

test('a program reads the very text', async () => {
  const { stdout } = await command('connections', 'list', '--json');
  expect(JSON.parse(stdout)[0].tenantName).toBe(`${written}\n`);
});

test.each([true, false])('so does what is shown while an import runs, in a terminal: %s', (isTTY) => {
  let text = '';
  const stream = { isTTY, columns: 200, write: (piece: string) => (text += piece) } as unknown as NodeJS.WriteStream;
  const display = displayOn(stream, null);
  const progress = { status: 'running', run: null, waitingFor: null, waitingUntil: null, totals: { admitted: 0 } };
  display.progress(progress as unknown as Parameters<Display['progress']>[0], { failures: 2, message: written });
  display.note(written);
  expect(text.split(shown)).toHaveLength(3 + (isTTY ? 1 : 0));
  // Its own: a live line is drawn over the one before.
  expect(text.replaceAll('\r\x1b[K', '')).not.toMatch(commands);
});
