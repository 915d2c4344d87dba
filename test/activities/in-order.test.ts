import { expect, test } from 'vitest';
import { InOrder } from '../../activities/in-order.ts';

/** A piece of work whose end is told from outside, try by try. */
function piece() {
  const ends: ((isDone: boolean) => void)[] = [];
  const work = () => new Promise<boolean>((resolve) => ends.push(resolve));
  return { work, tries: () => ends.length, end: (isDone: boolean) => ends.at(-1)?.(isDone) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a piece begins while the one before is under way, the one after it when there is room', async () => {
  const inOrder = new InOrder();
  const [first, second, third] = [piece(), piece(), piece()];
  for (const { work } of [first, second]) {
    expect(await inOrder.hasRoom()).toBe(true);
    inOrder.begin(work);
  }
  expect([first.tries(), second.tries()]).toEqual([1, 1]);
  let hasRoom = false;
  const room = inOrder.hasRoom().then((is) => {
    hasRoom = is;
  });
  await settled();
  expect(hasRoom).toBe(false);
  first.end(true);
  await room;
  expect(hasRoom).toBe(true);
  inOrder.begin(third.work);
  expect(third.tries()).toBe(1);
  second.end(true);
  third.end(true);
  expect(await inOrder.isDone()).toBe(true);
});

test('a piece whose turn had not come is begun again when it has', async () => {
  const inOrder = new InOrder();
  const [first, second] = [piece(), piece()];
  inOrder.begin(first.work);
  inOrder.begin(second.work);
  second.end(false);
  await settled();
  expect(second.tries()).toBe(1);
  first.end(true);
  await settled();
  expect(second.tries()).toBe(2);
  second.end(true);
  expect(await inOrder.isDone()).toBe(true);
});

test('after a piece that was not done, or failed, there is room for none, and all have ended when that is told', async () => {
  const undone = new InOrder();
  const [first, second] = [piece(), piece()];
  undone.begin(first.work);
  undone.begin(second.work);
  let told = false;
  const isDone = undone.isDone().finally(() => {
    told = true;
  });
  first.end(false);
  await settled();
  // Nothing was in front of it: it is not done, whatever is tried.
  first.end(false);
  await settled();
  expect(told).toBe(false);
  second.end(false);
  expect(await isDone).toBe(false);
  expect(second.tries()).toBe(1);
  expect(await undone.hasRoom()).toBe(false);

  const failed = new InOrder();
  failed.begin(() => Promise.reject(new Error('Postgres is away')));
  failed.begin(async () => false);
  await expect(failed.hasRoom()).rejects.toThrow('Postgres is away');
  await expect(failed.isDone()).rejects.toThrow('Postgres is away');
});
