import { mergeConfig } from 'vitest/config';
import config from './vitest.config.ts';

/** `npm run record`: writes the histories that every later version must replay. See test/replay/record.ts. */
export default mergeConfig(
  { ...config, test: { ...config.test, include: [] } },
  { test: { include: ['test/replay/record.ts'] } },
);
