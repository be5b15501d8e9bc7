import { Context } from "effect"
import type { Owner } from "../../store/run-record.ts"

/** This process among those that share the store. */
export class ServerProcess extends Context.Service<
  ServerProcess,
  {
    readonly owner: Owner
    /** `elsewhere`: on a machine that cannot be asked from here. */
    lifeOf(owner: Owner): "alive" | "gone" | "elsewhere"
  }
>()("core/server/jobs/ServerProcess") {}
