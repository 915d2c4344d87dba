import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workflowBundle } from '../../worker/bundle.ts';

test('several that need the workflows’ bundle at once get the same one, whole, and leave nothing else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-bundle-'));
  try {
    const paths = await Promise.all([1, 2, 3].map(() => workflowBundle(folder)));
    expect(readdirSync(folder).map((name) => join(folder, name))).toEqual([...new Set(paths)]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
