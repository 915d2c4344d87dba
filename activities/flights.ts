import { nextOffset } from '../model/lanes.ts';

export interface Flight<T> {
  offset: number;
  outcome: Promise<T>;
}

/** Calls in flight for one run, in the order of their offsets: pages are looked at in that order, whichever came first. */
export class Flights<T> {
  readonly #send: (offset: number) => Promise<T>;
  #inFlight: Flight<T>[] = [];

  constructor(send: (offset: number) => Promise<T>) {
    this.#send = send;
  }

  get count(): number {
    return this.#inFlight.length;
  }

  /** The offset of the next call, see `nextOffset`. */
  next(cursor: number): number {
    return nextOffset(
      cursor,
      this.#inFlight.map(({ offset }) => offset),
    );
  }

  launch(offset: number): void {
    this.#inFlight.push(this.#sent(offset));
  }

  /** The flight with the lowest offset, taken off the list. */
  take(): Flight<T> | undefined {
    return this.#inFlight.shift();
  }

  /** Puts a flight back, behind one for an offset before it. */
  fillIn(offset: number, before: Flight<T>): void {
    this.#inFlight.unshift(this.#sent(offset), before);
  }

  /** Waits until none is in the air: each holds a place in the quota ledger until it has landed. */
  async allLanded(): Promise<void> {
    await Promise.allSettled(this.#inFlight.map(({ outcome }) => outcome));
  }

  #sent(offset: number): Flight<T> {
    const outcome = this.#send(offset);
    // Heard when its turn comes; should an earlier page end the reading, nobody does.
    outcome.catch(() => {});
    return { offset, outcome };
  }
}
