import { Pool } from 'undici';

/** A request that is ready to be sent, token and all. */
export interface Prepared {
  path: string;
  headers: Record<string, string>;
  /** Makes it a POST. */
  body?: string;
  /** Called with the answer. */
  onAnswer?(answer: string): void;
}

export interface Load {
  perSecond: number;
  /** How long each answer took, in milliseconds. */
  latencies: number[];
  /** Bytes of all answers. */
  bytes: number;
  /** Milliseconds of processor that the sender itself spent on all of it. */
  cpu: number;
}

/** Sends the requests as fast as they are answered, over some connections. Any failure ends it. */
export async function load(
  base: URL,
  requests: readonly Prepared[],
  connections: number,
): Promise<Load> {
  const pool = new Pool(base, { connections });
  const latencies: number[] = [];
  const queue = requests.values();
  let bytes = 0;
  const before = process.cpuUsage();
  const start = performance.now();
  const work = async () => {
    for (const prepared of queue) {
      const sent = performance.now();
      const answer = await send(pool, prepared);
      latencies.push(performance.now() - sent);
      bytes += answer.length;
      prepared.onAnswer?.(answer.toString('latin1'));
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, work));
  } finally {
    await pool.destroy();
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const cpu = (user + system) / 1000;
  return { perSecond: requests.length / seconds, latencies, bytes, cpu };
}

/** @NOTE without streams or promises in between: on few cores the sender would take from the service */
function send(pool: Pool, { path, headers, body }: Prepared): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    const method = body === undefined ? 'GET' : 'POST';
    pool.dispatch(
      { path, method, headers, body: body ?? null },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, statusCode) => {
          status = statusCode;
        },
        onResponseData: (_controller, chunk) => chunks.push(chunk),
        onResponseEnd: () => {
          const answer = Buffer.concat(chunks);
          if (status === 200) resolve(answer);
          else reject(new Error(`${path}: ${status} ${answer.toString().slice(0, 300)}`));
        },
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
}
