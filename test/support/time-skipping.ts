import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { findOnPath } from '../../embedded/commands.ts';

/** Maven's name of Temporal's Java test server, whose download for the TypeScript SDK needs a host not reachable everywhere. */
const VERSION = '1.38.0';
const folder = resolve(import.meta.dirname, '../../.daybook/time-skipping', VERSION);
const script = join(folder, 'temporal-test-server');

/** Whether this machine has, or can get, the time-skipping server: Java to run it, Maven to fetch it once. */
export function timeSkippingAvailable(): boolean {
  const has = (command: string) => findOnPath(command, process.env.PATH).length > 0;
  return has('java') && (existsSync(script) || has('mvn'));
}

/**
 * A Temporal server whose clock jumps to the next timer whenever nothing else is left to do: a wait for tomorrow takes
 * a second. One clock for all of its runs, no Schedules; search attributes must be registered before a run sets them.
 */
export async function createTimeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  if (!existsSync(script)) fetchServer();
  return TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: script } },
  });
}

/** Lets Maven fetch the server with all it needs, and writes a command that runs it. */
function fetchServer(): void {
  mkdirSync(join(folder, '..'), { recursive: true });
  const building = mkdtempSync(`${folder}-`);
  const pom = join(building, 'pom.xml');
  writeFileSync(
    pom,
    `<project><modelVersion>4.0.0</modelVersion><groupId>daybook</groupId><artifactId>time-skipping</artifactId>
    <version>1</version><dependencies><dependency><groupId>io.temporal</groupId>
    <artifactId>temporal-test-server</artifactId><version>${VERSION}</version></dependency></dependencies></project>`,
  );
  const maven = spawnSync(
    'mvn',
    [
      '-q',
      '-B',
      '-f',
      pom,
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${join(building, 'jars')}`,
    ],
    { encoding: 'utf8', timeout: 240_000 },
  );
  if (maven.status !== 0) {
    throw new Error(`Maven could not fetch Temporal's time-skipping test server:\n${maven.stdout}${maven.stderr}`);
  }
  const command = join(building, 'temporal-test-server');
  writeFileSync(command, `#!/bin/sh\nexec java -cp "$(dirname "$0")/jars/*" io.temporal.testserver.TestServer "$@"\n`);
  chmodSync(command, 0o755);
  // Another test process may have been faster; then its result is as good.
  try {
    renameSync(building, folder);
  } catch (error) {
    if (!existsSync(script)) throw error;
  }
}
