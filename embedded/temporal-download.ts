import { mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './commands.ts';
import type { TemporalSource } from './temporal-executable.ts';

const STALL_MS = 20_000;
const AT_MOST_MS = 5 * 60_000;

/**
 * Temporal's SDK downloads the executable on its own, but only as a part of starting a server, and it cannot be
 * interrupted. So that happens in a process of its own, which is killed when nothing arrives any more.
 */
export const downloadTemporal: TemporalSource = async ({ target, env, onLine }) => {
  onLine('The Temporal server is not on this machine yet; downloading it from temporal.download (once).');
  const folder = mkdtempSync(join(dirname(target), 'download-'));
  try {
    let bytes = 0;
    let arrivedAt = 0;
    let stalled = false;
    const finished = await runCommand(process.execPath, ['--input-type=module', '--eval', script(folder)], {
      // Where `@temporalio/testing` is found from.
      cwd: import.meta.dirname,
      env,
      tickMs: 1000,
      tick: (elapsedMs) => {
        const now = bytesIn(folder);
        if (now !== bytes) arrivedAt = elapsedMs;
        bytes = now;
        stalled = elapsedMs - arrivedAt > STALL_MS || elapsedMs > AT_MOST_MS;
        return !stalled;
      },
    });
    const found = readdirSync(folder).find((name) => name.startsWith('temporal') && !name.endsWith('.downloading'));
    if (finished.code === 0 && found !== undefined) {
      renameSync(join(folder, found), target);
      return true;
    }
    onLine(`It could not be downloaded: ${stalled ? 'nothing arrives any more.' : reason(finished.output)}`);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

function script(folder: string): string {
  return `
    import { TestWorkflowEnvironment } from '@temporalio/testing';
    try {
      const executable = { type: 'cached-download', downloadDir: ${JSON.stringify(folder)} };
      const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
      await environment.teardown();
    } catch (error) {
      console.error(error.message);
      process.exit(1);
    }
    process.exit(0);`;
}

/** The SDK's message is one chain of causes, the same address three times; the last cause is the one that tells. */
function reason(output: string): string {
  const last = (output.split('\n').at(-1) ?? '').split('): ').at(-1) ?? '';
  return last === '' ? 'the download ended without saying why.' : `${last}.`;
}

function bytesIn(folder: string): number {
  return readdirSync(folder)
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}
