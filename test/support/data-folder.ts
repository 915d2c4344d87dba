import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { workflowBundle } from '../../worker/bundle.ts';

/** Made once a checkout, whoever needs it first. */
export const testBundle = () => workflowBundle(resolve(import.meta.dirname, '../../.daybook'));

/**
 * A data folder for the `daybook` processes of a test, with the workflows' bundle in it as a worker that has run before
 * leaves it: it takes webpack some seconds. Workers that find none and make it are those of test/cli.
 */
export async function createDataFolder(purpose: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), `daybook-${purpose}-`));
  const bundle = await testBundle();
  copyFileSync(bundle, join(folder, basename(bundle)));
  return folder;
}
