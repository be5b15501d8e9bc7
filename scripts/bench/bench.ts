import type { Options } from "./arguments.ts"
import type { Clients } from "./clients.ts"
import type { Ours } from "./ours.ts"
import type { Servers } from "./servers.ts"

/** Everything that one invocation has at hand. */
export interface Bench {
  readonly options: Options
  /** For flows, data files and logs. */
  readonly folder: string
  readonly clients: Clients
  readonly servers: Servers
  readonly ours: Ours
}
