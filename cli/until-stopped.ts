/** What comes sooner after the first is the same wish: npx hands on the Ctrl-C that the terminal has sent to all already. */
const sameWishMs = 1_000;

/** Resolves at the first Ctrl-C or termination; another one, a second or more later, ends the process at once. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let asked: number | undefined;
    const stop = () => {
      if (asked !== undefined && performance.now() - asked > sameWishMs) process.exit(130);
      asked ??= performance.now();
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
