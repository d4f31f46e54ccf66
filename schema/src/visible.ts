declare const visible: unique symbol;

/**
 * A value that one viewer was found to be allowed to see. The API takes nothing else, and there is
 * no function here that makes one: that is for the gateway's access module alone.
 */
export type Visible<T> = T & { readonly [visible]: true };
