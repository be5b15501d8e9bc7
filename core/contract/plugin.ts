import type { Input, Output, Router, Transform } from "./component.ts"
import type { Database } from "./database.ts"

/**
 * A component of any kind, its configuration type erased: the host validates configuration against the component's
 * schema before any call, which is what makes the erasure sound.
 */
// biome-ignore lint/suspicious/noExplicitAny: the one place where configuration types are erased
export type Component = Input<any> | Transform<any> | Router<any> | Output<any> | Database<any>
export type ComponentKind = Component["kind"]

/**
 * What a plugin's module exports as default. It imports nothing of ours at run time: types from this folder, its own
 * files, its driver.
 *
 * ```ts
 * import type { Plugin } from "headrace/contract"
 * export default { name: "acme", version: "1.0.0", engine: 1, permissions: {}, components: [acmeInput] } satisfies Plugin
 * ```
 */
export interface Plugin {
  /** Lower-case letters, digits, hyphens. */
  readonly name: string
  /** Semantic version. */
  readonly version: string
  /** Version of this contract that it is written for. */
  readonly engine: 1
  readonly title?: string
  readonly license?: string
  readonly permissions: Permissions
  readonly components: readonly Component[]
}

/** What the plugin needs; a confined worker gets exactly this and nothing else. */
export interface Permissions {
  /** `dataSource`: host and port of the data sources bound in the plan. Otherwise a list of `host:port`. */
  readonly network?: "dataSource" | readonly string[]
  /** Files that the plan names may be read, or read and written. */
  readonly files?: "read" | "write"
}
