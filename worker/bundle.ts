import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

/**
 * The workflows as one bundle on disk, made anew when they have changed; answers its path. It is valid for exactly one
 * version of the worker library, so that is part of its name. It is made in a process of its own: webpack would stay in
 * the worker's memory, which it doubles.
 */
export async function workflowBundle(cacheDir: string): Promise<string> {
  const { version } = require('@temporalio/worker/package.json') as { version: string };
  const hash = createHash('sha256').update(version);
  for (const folder of ['model', 'workflows']) {
    for (const file of (await readdir(join(root, folder))).filter((name) => name.endsWith('.ts')).sort()) {
      hash.update(file).update(await readFile(join(root, folder, file)));
    }
  }
  const path = join(cacheDir, `workflows-${hash.digest('hex').slice(0, 16)}.js`);
  if (existsSync(path)) return path;
  await mkdir(cacheDir, { recursive: true });
  // Two may make it at once, in one process even; a rename shows either whole.
  const unfinished = `${path}.${randomUUID()}`;
  const program = ['bin/run.mjs', 'worker/make-bundle.ts', unfinished];
  await promisify(execFile)(process.execPath, program, { cwd: root });
  await rename(unfinished, path);
  return path;
}
