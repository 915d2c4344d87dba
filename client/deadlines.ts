/**
 * How long is waited for what a question of a command, or of the connect page, needs beside Postgres: somebody sits there. Whoever asks says what
 * is not known without an answer.
 */

/** A worker's answer to a query. It comes at once from one that is there and not busy. */
export const workerAnswersWithinMs = 3_000;

/** Lists of Temporal, which a busy one takes seconds for. */
export const temporalListsWithinMs = 8_000;
