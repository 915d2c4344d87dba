import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, test } from 'vitest';
import { workflowBundle } from '../../worker/bundle.ts';

const histories = readdirSync(import.meta.dirname, { encoding: 'utf8', recursive: true }).filter((file) =>
  file.endsWith('.json'),
);
const paths = [
  ...['plain', 'filtered', 'refused', 'suspended', 'continued-first', 'continued-last', 'cancelled'],
  ...['paused-resumed-cancelled', 'invoices', 'invoices-suspended', 'reconciled', 'reconciled-suspended', 'kept-alive'],
];
const troubles = [
  ...['outage', 'needs-reconnect', 'cancelled-while-failing', 'paused-while-failing'],
  ...['reconciled-paused-while-failing', 'under-way'],
];
/** What each shape has histories of, by its folder. */
const shapes = {
  '': paths,
  'local-bookkeeping/': paths,
  'stop-while-all-fails/': [...paths, ...troubles],
  'second-stop/': [...paths, ...troubles, 'resumed-and-cancelled-while-failing'],
};
const read = (file: string) => JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8'));

describe('Old workflow histories replay on new code', () => {
  let codePath: string;
  beforeAll(async () => {
    codePath = await workflowBundle(resolve(import.meta.dirname, '../../.daybook'));
  });
  const replay = (history: unknown) =>
    Worker.runReplayHistory({ workflowBundle: { codePath } }, historyFromJSON(history));

  test('there are histories of every golden path in each shape, and of every trouble since it was told apart', () => {
    const all = Object.entries(shapes).flatMap(([folder, names]) => names.map((name) => `${folder}${name}.json`));
    expect(histories.toSorted()).toEqual(all.toSorted());
  });

  test.each(histories)('%s', async (file) => {
    await replay(read(file));
  });

  test('a history that the code would not write is found out', async () => {
    const history = read('plain.json');
    const scheduled = history.events.find(
      (event: { activityTaskScheduledEventAttributes?: { activityType: { name: string } } }) =>
        event.activityTaskScheduledEventAttributes?.activityType.name === 'importPages',
    );
    scheduled.activityTaskScheduledEventAttributes.activityType.name = 'anotherActivity';
    await expect(replay(history)).rejects.toThrow(DeterminismViolationError);
  });

  test('the workflows’ bundle holds no schema library, no database driver and no token', () => {
    const code = readFileSync(codePath, 'utf8');
    for (const foreign of ['node_modules/zod', 'node_modules/pg/', 'xero-node', 'openid-client', 'node_modules/jose']) {
      expect(code.includes(foreign), foreign).toBe(false);
    }
  });
});
