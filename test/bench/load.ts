import { Agent, request } from 'node:http';

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
}

/** Sends the requests as fast as they are answered, over some connections. Any failure ends it. */
export async function load(
  base: URL,
  requests: readonly Prepared[],
  connections: number,
): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latencies: number[] = [];
  const queue = requests.values();
  let bytes = 0;
  const start = performance.now();
  const work = async () => {
    for (const prepared of queue) {
      const sent = performance.now();
      const answer = await send(base, prepared, agent);
      latencies.push(performance.now() - sent);
      bytes += answer.length;
      prepared.onAnswer?.(answer.toString('latin1'));
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, work));
  } finally {
    agent.destroy();
  }
  const seconds = (performance.now() - start) / 1000;
  return { perSecond: requests.length / seconds, latencies, bytes };
}

function send(base: URL, { path, headers, body }: Prepared, agent: Agent): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const outgoing = request(new URL(path, base), { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const answer = Buffer.concat(chunks);
        if (response.statusCode === 200) resolve(answer);
        else
          reject(new Error(`${path}: ${response.statusCode} ${answer.toString().slice(0, 300)}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
