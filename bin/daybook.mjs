#!/usr/bin/env node
// The `daybook` command. The TypeScript runs unbuilt: tsx strips its types, also on Node 20, which cannot do so itself.
import { setFlagsFromString } from 'node:v8';
import { register } from 'tsx/esm/api';

// A page's bytes are large and short-lived garbage, which V8 would let pile up to several times what is in use.
setFlagsFromString('--heap-growing-percent=60');
register();
await import('../cli/main.ts');
