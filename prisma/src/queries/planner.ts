/**
 * Keeps the planner from anything but walking indexes in their order, and from looking at what is asked for. Its
 * statistics are of an average boundary, by which it would rather read all of one, or of a table, which is
 * wrong for the biggest; and they know what is hidden, by which it would plan otherwise for that than for what
 * is not there. What is estimated so high is not worth compiling, which would take longer than any of these
 * queries.
 */
export const PLANNER = {
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
  plan_cache_mode: 'force_generic_plan',
};
