import { expect, test } from 'vitest';
import { createAfterwards } from '../../activities/afterwards.ts';

test('what follows upon an import is begun at once and waited for at the end; what fails is told', async () => {
  const told: string[] = [];
  const afterwards = createAfterwards((sentence) => told.push(sentence));
  let end = () => {};
  let isDone = false;
  afterwards.begin('Counting', async () => {
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    isDone = true;
  });
  afterwards.begin('Sweeping', async () => {
    throw new Error('no broom');
  });
  const done = afterwards.done().then(() => isDone);
  end();
  expect(await done).toBe(true);
  expect(told).toEqual(['Sweeping failed: no broom']);
  await afterwards.done();
});
