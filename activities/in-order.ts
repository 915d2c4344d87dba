/**
 * Pieces of work done in order. The next one is begun while one is under way, so that nothing is idle in between: it must see for
 * itself whether its turn has come. A piece says whether it was done; behind one that was not, or failed, none is.
 */
export class InOrder {
  #last: Promise<boolean> = Promise.resolve(true);
  #before: Promise<boolean> = this.#last;

  /** Waits until there is but one under way, so that another may begin. False when the one before that was not done: none will be. */
  hasRoom(): Promise<boolean> {
    return this.#before;
  }

  /** Begins a piece, for which there must be room. */
  begin(work: () => Promise<boolean>): void {
    this.#before = this.#last;
    this.#last = behind(this.#before, work);
    // Heard when there is to be room for the one after the next, or at the end.
    this.#last.catch(() => {});
  }

  /** Whether all was done, once nothing is under way. */
  isDone(): Promise<boolean> {
    return this.#last;
  }
}

async function behind(before: Promise<boolean>, work: () => Promise<boolean>): Promise<boolean> {
  const early = work();
  // Neither goes on unseen when the other fails.
  await Promise.allSettled([before, early]);
  if (!(await before)) return false;
  // Its turn may not have come yet, as the one before took more than one try.
  return (await early) || work();
}
