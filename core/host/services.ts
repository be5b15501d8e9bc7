import { Context, type Effect } from "effect"
import type { DataSource, Files, Log } from "../contract/index.ts"
import type { FlowError } from "../flow/problem.ts"
import type { Components } from "./components.ts"
import type { Parking } from "./parking.ts"

/** The components that this process can use. */
export class InstalledComponents extends Context.Service<InstalledComponents, Components>()(
  "core/host/InstalledComponents",
) {}

/** The named connections that flows refer to. */
export class DataSources extends Context.Service<
  DataSources,
  {
    readonly names: readonly string[]
    /** Settings checked and with defaults, secrets in clear. */
    get(name: string): Effect.Effect<DataSource, FlowError>
  }
>()("core/host/DataSources") {}

/** What the machine lends to components. */
export class Machine extends Context.Service<
  Machine,
  { readonly files: Files; readonly log: Log; readonly parking?: Parking }
>()("core/host/Machine") {}
