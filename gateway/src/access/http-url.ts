/** What is an http or https URL; null for anything else, which nobody should follow. */
export function httpUrl(value: string | undefined): string | null {
  if (value === undefined || !URL.canParse(value)) return null;
  const { protocol } = new URL(value);
  return protocol === 'https:' || protocol === 'http:' ? value : null;
}
