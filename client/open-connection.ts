import { Connection, type ConnectionOptions } from '@temporalio/client';

/** `Connection.connect`, but where that fails nothing goes on trying behind the caller's back, as the SDK's own leaves it. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const connection = Connection.lazy(options);
  try {
    await connection.ensureConnected();
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}
