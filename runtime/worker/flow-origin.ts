import { createHash } from "node:crypto"
import type { Flow } from "../../core/flow/flow-schema.ts"
import type { FlowOrigin, RunOverrides } from "../../core/store/run-record.ts"

/** The flow with the settings of the call in the place of its own. */
export function withSettings(flow: Flow, { parallel, errorLimit }: RunOverrides): Flow {
  const { errorPercent: _, ...withoutPercent } = flow.settings
  const settings = errorLimit === undefined ? flow.settings : { ...withoutPercent, errorLimit }
  return { ...flow, settings: { ...settings, parallel: parallel ?? settings.parallel } }
}

/** What is recorded of a document, with the settings that the call gave. */
export function originOf(
  { document, base, path }: Pick<FlowOrigin, "document" | "base" | "path">,
  overrides: RunOverrides,
): FlowOrigin {
  return { document, hash: hashOf(document), base, overrides, ...(path === undefined ? {} : { path }) }
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex")
}
