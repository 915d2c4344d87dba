/** Work that follows upon an import and that nobody waits for, until the worker stops. */
export interface Afterwards {
  /** Begins it at once. Should it fail, a line of the log says so, beginning with `what`. */
  begin(what: string, work: () => Promise<void>): void;
  /** Waits until nothing is under way. */
  done(): Promise<void>;
}

export function createAfterwards(warn: (sentence: string) => void): Afterwards {
  const underWay = new Set<Promise<void>>();
  return {
    begin(what, work) {
      const one = work()
        .catch((error: Error) => warn(`${what} failed: ${error.message}`))
        .finally(() => underWay.delete(one));
      underWay.add(one);
    },
    async done() {
      await Promise.all(underWay);
    },
  };
}
