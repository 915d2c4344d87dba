import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runProcess } from '../support/processes.ts';

const checkout = resolve(import.meta.dirname, '../..');

/** A checkout of nothing but what builds, and a program of two files that prints the word. */
function checkoutOf(word: string) {
  const root = mkdtempSync(join(tmpdir(), 'daybook-built-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  cpSync(join(checkout, 'bin'), join(root, 'bin'), { recursive: true });
  symlinkSync(join(checkout, 'node_modules'), join(root, 'node_modules'));
  mkdirSync(join(root, 'room'));
  const say = (text: string) => writeFileSync(join(root, 'room/word.ts'), text);
  say(`export const word: string = '${word}';`);
  writeFileSync(
    join(root, 'room/main.ts'),
    "const { word } = await import('./word.ts');\nconsole.log(word, process.argv.slice(2).join());",
  );
  return { root, say };
}

async function run(root: string, ...args: string[]) {
  const running = runProcess(join(root, 'bin/run.mjs'), { args: ['room/main.ts', ...args], cwd: root });
  return { code: await running.exited, output: running.output().trim() };
}

test('what runs is what the files hold, in every start after a change', async () => {
  const { root, say } = checkoutOf('first');
  expect(await run(root, 'a', 'b')).toEqual({ code: 0, output: 'first a,b' });
  expect(await run(root)).toEqual({ code: 0, output: 'first' });
  say("export const word: string = 'other';");
  const together = await Promise.all([run(root), run(root), run(root)]);
  expect(together).toEqual(together.map(() => ({ code: 0, output: 'other' })));
  say("export const word: string = 'first';");
  expect(await run(root)).toEqual({ code: 0, output: 'first' });
});

test('a trace names the line of the TypeScript', async () => {
  const { root, say } = checkoutOf('first');
  say(
    "interface Nothing {}\n\nexport const word: Nothing = fail();\nfunction fail(): never {\n  throw new Error('On purpose');\n}",
  );
  const { code, output } = await run(root);
  expect(code).toBe(1);
  expect(output).toMatch(/word\.ts:5:/);
});

test('where it cannot be written a sentence says so', async () => {
  const { root } = checkoutOf('first');
  writeFileSync(join(root, 'built'), '');
  const { code, output } = await run(root);
  expect(code).toBe(1);
  expect(output).toContain(`cannot be written to ${join(root, 'built')}`);
});
