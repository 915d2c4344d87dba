/**
 * Work done one piece after the other, of which one is under way while the next is got ready. A piece says whether it was
 * done; after one that was not, or failed, no other is begun.
 */
export class InOrder {
  #last: Promise<boolean> = Promise.resolve(true);

  /** Begins a piece once the one before is done, and comes back then. False when that was not done: neither is this. */
  async next(work: () => Promise<boolean>): Promise<boolean> {
    if (!(await this.#last)) return false;
    this.#last = work();
    // Heard when the next piece comes, or at the end.
    this.#last.catch(() => {});
    return true;
  }

  /** Whether all was done, once nothing is under way. */
  isDone(): Promise<boolean> {
    return this.#last;
  }
}
