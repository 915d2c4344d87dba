import { expect, test } from 'vitest';
import { keepWorkerRunning } from '../../cli/worker-process.ts';
import { eventually } from '../embedded/probes.ts';

test('a worker that cannot be started is said in a sentence and tried again, and ends nothing else', async () => {
  const { execPath } = process;
  const lines: string[] = [];
  process.execPath = '/absent/node';
  const worker = keepWorkerRunning({}, (line) => lines.push(line));
  try {
    await eventually(() => lines.length > 0);
    expect(lines).toEqual(['The worker cannot be started (spawn /absent/node ENOENT); it is tried again.']);
    expect(worker.pid()).toBeUndefined();
    process.execPath = execPath;
    await eventually(() => worker.pid());
  } finally {
    process.execPath = execPath;
    await worker.stop();
  }
  expect(lines).toHaveLength(1);
});

test('so is one that the system refuses at once', async () => {
  const lines: string[] = [];
  // More than Linux and macOS hand to a process.
  const tooMuch = 'x'.repeat(4 * 1024 * 1024);
  const worker = keepWorkerRunning({ tooMuch }, (line) => lines.push(line));
  await eventually(() => lines.length > 0);
  expect(lines).toEqual([expect.stringMatching(/^The worker cannot be started \(spawn E2BIG\); it is tried again\.$/)]);
  await worker.stop();
});
