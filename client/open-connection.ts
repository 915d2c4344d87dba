import {
  Connection,
  type ConnectionOptions,
  defaultGrpcRetryOptions,
  isGrpcServiceError,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

/** Within this time Temporal must have answered a call, its repetitions included. gRPC itself would wait for ever. */
const answerMs = 30_000;
/** Who waits for a workflow to end is answered when it does, or else after some twenty seconds, to ask again. */
const patientAnswerMs = 90_000;

/** https://grpc.io/docs/guides/deadlines/ */
const withDeadline: Interceptor = (options, nextCall) => {
  const isPatient = options.method_definition.path.endsWith('/GetWorkflowExecutionHistory');
  const deadline = options.deadline ?? Date.now() + (isPatient ? patientAnswerMs : answerMs);
  return nextCall({ ...options, deadline }) as ReturnType<Interceptor>;
};

/**
 * `Connection.connect`, but each call has a deadline, and where connecting fails nothing goes on trying behind the caller's back,
 * as the SDK's own leaves it.
 */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const interceptors = [withDeadline, makeGrpcRetryInterceptor(defaultGrpcRetryOptions())];
  const connection = Connection.lazy({ interceptors, ...options });
  try {
    await connection.ensureConnected();
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** DEADLINE_EXCEEDED and UNAVAILABLE of gRPC: nobody answers. */
export const silences = [4, 14];

/** Why a call failed, if it did because Temporal is silent or away; else null. The SDK wraps it in errors of its own. */
export function silenceOf(error: unknown): Error | null {
  if (!(error instanceof Error)) return null;
  if (isGrpcServiceError(error)) return silences.includes(error.code) ? error : null;
  return silenceOf(error.cause);
}
