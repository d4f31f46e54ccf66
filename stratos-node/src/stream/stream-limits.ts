/** What consumers of streams may ask of a node. */
export interface StreamLimits {
  /** Streams that one caller may have open. */
  perCaller: number;
  /** Streams that all callers together may have open. */
  inTotal: number;
  /** Milliseconds that one frame may take until the consumer has it. */
  stallAfterMs: number;
  /** How often a consumer has to show a sign of life. */
  pingEveryMs: number;
  /** Milliseconds that a consumer who is sent away has for taking notice. */
  lingerMs: number;
}

export const STREAM_LIMITS: StreamLimits = {
  perCaller: 20,
  inTotal: 2_000,
  stallAfterMs: 30_000,
  pingEveryMs: 30_000,
  lingerMs: 5_000,
};
