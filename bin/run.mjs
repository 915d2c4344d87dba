// Runs a program of ours by its TypeScript: `node bin/run.mjs sandbox/main.ts …`, as if that were what Node had been given.
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { built } from './built.mjs';

const [node, , program, ...rest] = process.argv;
if (program === undefined) throw new Error('Say which program to run: node bin/run.mjs sandbox/main.ts');
const root = fileURLToPath(new URL('..', import.meta.url));
process.setSourceMapsEnabled(true);
const file = await built(relative(root, resolve(program)));
process.argv = [node, fileURLToPath(file), ...rest];
await import(file);
