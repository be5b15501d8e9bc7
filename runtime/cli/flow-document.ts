import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import process from "node:process"
import { text } from "node:stream/consumers"
import { Effect } from "effect"
import type { Flow } from "../../core/flow/flow-schema.ts"
import { type FlowError, flowError } from "../../core/flow/problem.ts"
import { readFlow } from "../../core/flow/read-flow.ts"
import type { FlowOrigin } from "../../core/store/run-record.ts"
import { Settings } from "../settings.ts"

/** A flow from a file or from the standard input. */
export interface FlowDocument {
  readonly flow: Flow
  /** Relative paths in it start here: the folder of its file. */
  readonly base: string
  /** Its text. */
  readonly document: string
  /** The file, unless it came through a pipe. */
  readonly path?: string
}

export const readDocument = Effect.fnUntraced(function* (
  argument: string,
): Effect.fn.Return<FlowDocument, FlowError, Settings> {
  const { cwd } = yield* Settings
  if (argument === "-") {
    const content = yield* Effect.promise(() => text(process.stdin))
    return { flow: yield* readFlow(content, "the standard input"), base: cwd, document: content }
  }
  const path = resolve(cwd, argument)
  const content = yield* Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: (error) => unreadable(argument, error as { code?: string }),
  })
  const flow = yield* readFlow(content, `"${argument}"`)
  return isPipe(path) ? { flow, base: cwd, document: content } : { flow, base: dirname(path), document: content, path }
})

/** The flow with the settings of the call in the place of its own. */
export function withSettings(flow: Flow, { parallel, errorLimit }: FlowOrigin["overrides"]): Flow {
  const { errorPercent: _, ...withoutPercent } = flow.settings
  const settings = errorLimit === undefined ? flow.settings : { ...withoutPercent, errorLimit }
  return { ...flow, settings: { ...settings, parallel: parallel ?? settings.parallel } }
}

/** What is recorded of a document, with the settings that the call gave. */
export function originOf(
  { document, base, path }: Pick<FlowDocument, "document" | "base" | "path">,
  overrides: FlowOrigin["overrides"],
): FlowOrigin {
  return { document, hash: hashOf(document), base, overrides, ...(path === undefined ? {} : { path }) }
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex")
}

/** True for what a shell writes in place of `<(…)`, and for `/dev/stdin`: nothing lies in that folder. */
function isPipe(path: string): boolean {
  return /^\/(?:dev|proc\/[^/]+\/fd)\//.test(path)
}

function unreadable(argument: string, { code = "unknown error" }: { readonly code?: string }): FlowError {
  const [cause, hint] = CAUSES[code] ?? [code, undefined]
  return flowError([
    { message: `Cannot read the flow "${argument}": ${cause}`, ...(hint === undefined ? {} : { hint }) },
  ])
}

const CAUSES: Readonly<Record<string, readonly [cause: string, hint: string]>> = {
  ENOENT: ["there is no such file", "Check the path; it starts from the current folder"],
  EACCES: ["permission denied", "Check that you may read the file"],
  EISDIR: ["it is a folder", "Name the file in it"],
}
