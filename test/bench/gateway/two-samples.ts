/** How likely it is that two samples of one distribution are as far apart as these. */
export interface Comparison {
  /** By Kolmogorov and Smirnov: whatever differs in the distributions. */
  kolmogorovSmirnov: number;
  /** By permutation: how far the means are apart. */
  means: number;
}

const PERMUTATIONS = 1_000;

export function compareSamples(one: readonly number[], other: readonly number[]): Comparison {
  return { kolmogorovSmirnov: kolmogorovSmirnov(one, other), means: permutation(one, other) };
}

/** The two-sample test, by the limit that it has for large samples. */
function kolmogorovSmirnov(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [one, other].map((sample) => Float64Array.from(sample).sort());
  if (!a || !b) return Number.NaN;
  let distance = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const value = Math.min(a[i] ?? 0, b[j] ?? 0);
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length));
  }
  const size = Math.sqrt((a.length * b.length) / (a.length + b.length));
  const lambda = (size + 0.12 + 0.11 / size) * distance;
  let likely = 0;
  for (let k = 1; k <= 100; k++) likely += 2 * (-1) ** (k - 1) * Math.exp(-2 * (k * lambda) ** 2);
  return Math.min(1, Math.max(0, likely));
}

/** The share of random divisions of both together whose means are at least as far apart. */
function permutation(one: readonly number[], other: readonly number[]): number {
  const all = Float64Array.from([...one, ...other]);
  const total = all.reduce((sum, value) => sum + value, 0);
  const distanceOf = (sum: number) => Math.abs(sum / one.length - (total - sum) / other.length);
  const observed = distanceOf(one.reduce((sum, value) => sum + value, 0));
  let asFar = 1;
  for (let round = 0; round < PERMUTATIONS; round++) {
    let sum = 0;
    for (let i = 0; i < one.length; i++) {
      const j = i + Math.floor(Math.random() * (all.length - i));
      const drawn = all[j] ?? 0;
      all[j] = all[i] ?? 0;
      all[i] = drawn;
      sum += drawn;
    }
    if (distanceOf(sum) >= observed) asFar++;
  }
  return asFar / (PERMUTATIONS + 1);
}
