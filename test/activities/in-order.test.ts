import { expect, test } from 'vitest';
import { InOrder } from '../../activities/in-order.ts';

/** A piece of work whose end is told from outside. */
function piece() {
  let begun = false;
  let end = (_isDone: boolean) => {};
  const told = new Promise<boolean>((resolve) => {
    end = resolve;
  });
  const work = () => {
    begun = true;
    return told;
  };
  return { work, end, hasBegun: () => begun };
}

test('a piece begins when the one before is done, and whoever hands it over goes on then', async () => {
  const inOrder = new InOrder();
  const [first, second] = [piece(), piece()];
  expect(await inOrder.next(first.work)).toBe(true);
  expect(first.hasBegun()).toBe(true);
  const handedOver = inOrder.next(second.work);
  await Promise.resolve();
  expect(second.hasBegun()).toBe(false);
  first.end(true);
  expect(await handedOver).toBe(true);
  expect(second.hasBegun()).toBe(true);
  second.end(true);
  expect(await inOrder.isDone()).toBe(true);
});

test('after a piece that was not done, or failed, none is begun', async () => {
  const undone = new InOrder();
  const later = piece();
  await undone.next(async () => false);
  expect(await undone.next(later.work)).toBe(false);
  expect(await undone.isDone()).toBe(false);
  const failed = new InOrder();
  await failed.next(() => Promise.reject(new Error('Postgres is away')));
  await expect(failed.next(later.work)).rejects.toThrow('Postgres is away');
  await expect(failed.isDone()).rejects.toThrow('Postgres is away');
  expect(later.hasBegun()).toBe(false);
});
