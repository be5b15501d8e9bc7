import { Context } from "effect"
import type { RejectedRow } from "../contract/index.ts"

/** A rejected row with its place in the run. */
export interface Rejection extends RejectedRow {
  readonly runId: string
  readonly step: string
  readonly split: string
}

/** Where rejected rows are kept. */
export class Rejections extends Context.Service<
  Rejections,
  {
    /** Takes a row at once; it may be written later. */
    add(rejection: Rejection): void
    /** Resolves when everything taken so far is safe; where it can be read, if anything was written. */
    flush(): Promise<string | undefined>
  }
>()("core/run/Rejections") {}
