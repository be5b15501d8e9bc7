import { Layer } from "effect"
import { ServerProcess } from "../../core/server/jobs/server-process.ts"
import { lifeOf, thisProcess } from "../store/process-owner.ts"

/** This process, and how it looks after others. */
export const serverProcessLayer: Layer.Layer<ServerProcess> = Layer.sync(ServerProcess, () => ({
  owner: thisProcess(),
  lifeOf,
}))
