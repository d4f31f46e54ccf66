import type { Server } from '@atproto/xrpc-server';
import type { NodeMetrics } from './metrics.ts';

/** How a frame begins whose header is `{op: -1}`. */
const ERROR_FRAME = Buffer.from([0xa1, 0x62, 0x6f, 0x70, 0x20]);

/** Counts the consumers of streams and what they are sent. To be called after all are added. */
export function observeStreams(server: Server, metrics: NodeMetrics): void {
  const { consumers, frames, frameBytes, streamErrors } = metrics;
  for (const [method, { wss }] of server.subscriptions) {
    wss.on('connection', (socket) => {
      consumers.inc({ method });
      socket.once('close', () => consumers.dec({ method }));
      const send = socket.send.bind(socket) as (...args: unknown[]) => void;
      socket.send = (data: unknown, ...rest: unknown[]) => {
        frames.inc({ method });
        if (data instanceof Uint8Array) {
          frameBytes.inc({ method }, data.length);
          if (ERROR_FRAME.equals(data.subarray(0, ERROR_FRAME.length)))
            streamErrors.inc({ method });
        }
        send(data, ...rest);
      };
    });
  }
  metrics.observeEach(
    'stratos_stream_buffered_bytes',
    'Bytes of frames that consumers have not taken yet',
    ['method'],
    async () =>
      [...server.subscriptions].map(([method, { wss }]) => {
        const waiting = [...wss.clients].map(({ bufferedAmount }) => bufferedAmount);
        return { labels: { method }, value: waiting.reduce((sum, bytes) => sum + bytes, 0) };
      }),
  );
}
