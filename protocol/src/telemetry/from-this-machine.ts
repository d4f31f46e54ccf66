import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';

/** Whether a request was made on this machine, and not passed on by a proxy that runs here. */
export function isFromThisMachine({ socket, headers }: IncomingMessage): boolean {
  const isForwarded = ['x-forwarded-for', 'x-real-ip', 'forwarded', 'via'].some(
    (name) => headers[name] !== undefined,
  );
  return !isForwarded && isLoopback(socket.remoteAddress ?? '');
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return isIPv4(plain) ? plain.startsWith('127.') : plain === '::1';
}
