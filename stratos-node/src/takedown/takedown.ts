/** What the operator decided of something. */
export interface Takedown {
  /** False puts it back. */
  applied: boolean;
  /** What the operator knows the matter by. */
  ref: string;
}
