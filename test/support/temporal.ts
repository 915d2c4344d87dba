import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { provided } from './provided.ts';

export interface TestTemporal {
  readonly address: string;
  readonly namespace: string;
  readonly client: Client;
  /** What `Worker.create` needs. */
  readonly nativeConnection: NativeConnection;
  close(): Promise<void>;
}

/** Client and worker connections to the run's Temporal server; one a test file. */
export async function connectTemporal(address: string = provided('temporal')): Promise<TestTemporal> {
  const namespace = 'default';
  const [connection, nativeConnection] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  return {
    address,
    namespace,
    client: new Client({ connection, namespace }),
    nativeConnection,
    close: async () => {
      await Promise.all([connection.close(), nativeConnection.close()]);
    },
  };
}

/** A name for a task queue or workflow that no other test uses. */
export function uniqueName(what: string): string {
  return `${what}-${randomBytes(5).toString('hex')}`;
}
