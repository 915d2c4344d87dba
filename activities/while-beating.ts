import { heartbeat } from '@temporalio/activity';

const beatEveryMs = 3_000;

/** Beats at once and for as long as `work` takes, so that a worker that died over it is noticed soon. */
export async function whileBeating<T>(work: () => Promise<T>): Promise<T> {
  heartbeat();
  const beat = setInterval(heartbeat, beatEveryMs);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}
