import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // One process a file: the Temporal runtime can be installed once a process, and a crash takes one file with it.
    pool: 'forks',
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    testTimeout: 60_000,
    // What is waited for comes at once on an idle machine, and this one is not.
    expect: { poll: { timeout: 10_000 } },
    // The first run of a checkout may have to fetch or build the Temporal server.
    hookTimeout: 300_000,
    // Postgres, Temporal, workers and the tests share the machine: many files at once only make timeouts. With two a machine of
    // two cores is idle for much of the time, as many tests wait for a pause that Daybook makes.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
