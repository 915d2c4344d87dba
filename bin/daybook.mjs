#!/usr/bin/env node
// The `daybook` command. The TypeScript runs unbuilt: tsx strips its types, also on Node 20, which cannot do so itself.
import { register } from 'node:module';

// What `tsx/esm/api` does, without loading tsx and esbuild into this thread as well as into that of the hooks.
register('tsx/esm', { parentURL: import.meta.url, data: {} });
// The lines of a trace are those of the TypeScript.
process.setSourceMapsEnabled(true);
await import('../cli/main.ts');
