#!/usr/bin/env node
// The `daybook` command. The TypeScript runs unbuilt: tsx strips its types, also on Node 20, which cannot do so itself.
import { register } from 'tsx/esm/api';

register();
await import('../cli/main.ts');
