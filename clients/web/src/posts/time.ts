const UNITS = [
  { unit: 'd', ms: 86_400_000 },
  { unit: 'h', ms: 3_600_000 },
  { unit: 'm', ms: 60_000 },
] as const;
const WEEK_MS = 7 * 86_400_000;

/** How long ago, as briefly as it can be said; the day where that is more than a week. */
export function briefTime(iso: string, now: number): string {
  const date = new Date(iso);
  const age = now - date.getTime();
  if (age > WEEK_MS) return date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
  const found = UNITS.find(({ ms }) => age >= ms);
  return found ? `${Math.floor(age / found.ms)}${found.unit}` : 'now';
}

export function wholeTime(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: 'long', timeStyle: 'short' });
}
