import type { Visible } from '@stratos/schema';

/** The one place where anything becomes visible. Not to be called from outside this folder. */
export function visible<T>(value: T): Visible<T> {
  return value as Visible<T>;
}
