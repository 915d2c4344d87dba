import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findOnPath, runCommand } from './commands.ts';
import type { TemporalSource } from './temporal-executable.ts';

const PACKAGE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const PROGRESS_MS = 10_000;
const AT_MOST_MS = 20 * 60_000;

/** Builds the executable from its source with Go, where Go is: for machines that reach a Go proxy but not the download. */
export const buildTemporal: TemporalSource = async ({ target, env, onLine }) => {
  const go = findOnPath('go', env.PATH)[0];
  if (go === undefined) return false;
  onLine('Building the Temporal server from its source with Go: about 4 minutes, once.');
  const folder = mkdtempSync(join(dirname(target), 'build-'));
  try {
    const finished = await runCommand(go, ['install', PACKAGE], {
      // Not in a folder with a go.mod of somebody else's.
      cwd: folder,
      // Without symbols the executable is a third smaller.
      env: { ...env, GOBIN: folder, GOFLAGS: `${env.GOFLAGS ?? ''} -ldflags=-s`.trim() },
      tickMs: PROGRESS_MS,
      tick: (elapsedMs) => {
        onLine(`Building the Temporal server: ${Math.round(elapsedMs / 1000)} s so far.`);
        return elapsedMs < AT_MOST_MS;
      },
    });
    if (finished.code === 0) {
      renameSync(join(folder, 'temporal'), target);
      onLine('The Temporal server is built.');
      return true;
    }
    onLine(`It could not be built:\n${finished.output}`);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
