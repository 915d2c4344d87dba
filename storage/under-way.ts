/** Work that was begun and needs the pool: whoever ends the pool waits for it first. */
export interface UnderWay {
  track<T>(work: Promise<T>): Promise<T>;
  /** Resolves once all of it has ended, with what begins meanwhile; after `withinMs` in any case. */
  settled(withinMs: number): Promise<void>;
}

export function createUnderWay(): UnderWay {
  const begun = new Set<Promise<unknown>>();
  return {
    track(work) {
      begun.add(work);
      const ended = () => void begun.delete(work);
      work.then(ended, ended);
      return work;
    },
    async settled(withinMs) {
      let overdue: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        overdue = setTimeout(() => resolve('late'), withinMs);
      });
      while (begun.size > 0) {
        if ((await Promise.race([Promise.allSettled(begun), late])) === 'late') break;
      }
      clearTimeout(overdue);
    },
  };
}
