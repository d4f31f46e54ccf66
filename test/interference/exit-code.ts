/** Of a process that found a difference. */
export const EXIT_DIFFERENT = 3;
