import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

// Writes the workflows' bundle to the path given; see bundle.ts.
const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('Say where to write the bundle.');
const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
  logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
});
await writeFile(path, code);
