/**
 * The contract between Headrace and a plugin. Types only: a plugin needs nothing of ours at run time.
 *
 * Start with {@link Plugin}, then the component you want to write: {@link Input}, {@link Transform}, {@link Router},
 * {@link Output} or {@link Database}. Data travels as {@link Batch}; everything else comes through {@link Session}.
 */
export type * from "./batch.ts"
export type * from "./component.ts"
export type * from "./database.ts"
export type * from "./failure.ts"
export type * from "./files.ts"
export type * from "./plugin.ts"
export type * from "./session.ts"
export type * from "./type.ts"
