import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';

/** Bytes that a connection may lag behind what was sent. */
const MAX_AHEAD = 64 * 1024;

type Done = (error?: Error) => void;
type Send = (data: Uint8Array, options: object, done: Done) => void;

/**
 * Makes frames that are sent in one turn go out together, and a sender wait only for a connection
 * that lags behind: each frame by itself would cost a system call and a turn.
 */
export function sendTogether(socket: WebSocket, connection: Socket): void {
  const send = socket.send.bind(socket) as Send;
  let isHeld = false;
  const hold = () => {
    isHeld = true;
    connection.cork();
    setImmediate(() => {
      isHeld = false;
      connection.uncork();
    });
  };
  const sendAhead: Send = (data, options, done) => {
    if (!isHeld) hold();
    if (socket.readyState !== socket.OPEN || socket.bufferedAmount + data.length > MAX_AHEAD) {
      send(data, options, done);
      return;
    }
    // @NOTE what goes wrong from here on closes the socket, which ends the stream as well
    send(data, options, () => undefined);
    done();
  };
  socket.send = sendAhead as WebSocket['send'];
}
