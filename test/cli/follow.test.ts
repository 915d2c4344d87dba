import { setTimeout as sleep } from 'node:timers/promises';
import { Client, WorkflowNotFoundError } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noDisplay } from '../../cli/display.ts';
import { follow } from '../../cli/follow.ts';
import { createImports } from '../../client/imports.ts';
import { connectTemporal, type TestTemporal, uniqueName } from '../support/temporal.ts';

let temporal: TestTemporal;
beforeAll(async () => {
  temporal = await connectTemporal();
});
afterAll(() => temporal.close());

test('who follows what does not exist hears it, also where it is known before the first question is answered', async () => {
  const slow = new Client({
    connection: temporal.client.connection,
    namespace: temporal.namespace,
    interceptors: { workflow: [{ query: (input, next) => sleep(300).then(() => next(input)) }] },
  });
  // Vitest fails the file for a rejection that nobody hears, as Node ends the process.
  await expect(follow(createImports(slow, 'any'), uniqueName('nope'), noDisplay)).rejects.toThrow(
    WorkflowNotFoundError,
  );
});
