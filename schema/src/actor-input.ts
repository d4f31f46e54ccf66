import { isDid } from '@stratos/protocol';

const HANDLE = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/** True for what names an actor: a DID or a handle. */
export function isActor(value: string): boolean {
  return isDid(value) || (value.length <= 253 && HANDLE.test(value));
}
