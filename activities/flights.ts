import { nextOffset } from '../model/lanes.ts';

export interface Flight<T> {
  offset: number;
  outcome: Promise<T>;
  landed: boolean;
}

/**
 * Calls of one run that are in the air, or have landed and wait for their turn: pages are looked at in the order of their
 * offsets, whichever came first.
 */
export class Flights<T> {
  readonly #send: (offset: number) => Promise<T>;
  #flights: Flight<T>[] = [];

  constructor(send: (offset: number) => Promise<T>) {
    this.#send = send;
  }

  get count(): number {
    return this.#flights.length;
  }

  get inTheAir(): number {
    return this.#flights.filter(({ landed }) => !landed).length;
  }

  /** Whether the next page to look at is there: it may tell that there is nothing more to ask for. */
  get hasLanded(): boolean {
    return this.#flights[0]?.landed === true;
  }

  /** The offset of the next call, see `nextOffset`. */
  next(cursor: number, stride: number): number {
    return nextOffset(
      cursor,
      this.#flights.map(({ offset }) => offset),
      stride,
    );
  }

  launch(offset: number): void {
    this.#flights.push(this.#sent(offset));
  }

  /** The flight with the lowest offset, taken off the list once it has landed; until then any that lands ends the wait. */
  async take(): Promise<Flight<T> | undefined> {
    if (this.#flights[0]?.landed === false) {
      await Promise.race(this.#flights.filter(({ landed }) => !landed).map(({ outcome }) => outcome)).catch(() => {});
    }
    return this.hasLanded ? this.#flights.shift() : undefined;
  }

  /** Puts a flight back, behind one for an offset before it. */
  fillIn(offset: number, before: Flight<T>): void {
    this.#flights.unshift(this.#sent(offset), before);
  }

  /** What all that are left have brought, once none is in the air: each holds a place in the quota ledger until it has landed. */
  async landings(): Promise<T[]> {
    const settled = await Promise.allSettled(this.#flights.map(({ outcome }) => outcome));
    return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  #sent(offset: number): Flight<T> {
    const flight: Flight<T> = { offset, outcome: this.#send(offset), landed: false };
    const land = () => {
      flight.landed = true;
    };
    // Heard when its turn comes; should an earlier page end the reading, nobody does.
    flight.outcome.then(land, land);
    return flight;
  }
}
