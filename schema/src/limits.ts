/** Posts in a page unless the caller says otherwise. */
export const DEFAULT_PAGE_SIZE = 50;
/** Posts in a page at most. */
export const MAX_PAGE_SIZE = 100;
/** Posts that can be asked for by their addresses at once. */
export const MAX_URIS = 25;
/** Graphemes of a text to search for. */
export const MAX_SEARCH_TEXT = 256;
/** Posts above one in a thread, and levels of replies below it, at most. */
export const MAX_THREAD_DEPTH = 10;
/** Levels of replies in a thread unless the caller says otherwise. */
export const DEFAULT_THREAD_DEPTH = 3;
/** Replies to each post of a thread unless the caller says otherwise. */
export const DEFAULT_THREAD_PAGE_SIZE = 10;
