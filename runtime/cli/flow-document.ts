import { readFile } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import process from "node:process"
import { text } from "node:stream/consumers"
import { Effect } from "effect"
import type { Flow } from "../../core/flow/flow-schema.ts"
import { type FlowError, flowError } from "../../core/flow/problem.ts"
import { readFlow } from "../../core/flow/read-flow.ts"
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
  const { title, ...rest } = yield* readText(argument)
  return { flow: yield* readFlow(rest.document, title), ...rest }
})

/** The text of a flow, whatever it says; `title` is for messages. */
export const readText = Effect.fnUntraced(function* (
  argument: string,
): Effect.fn.Return<Omit<FlowDocument, "flow"> & { readonly title: string }, FlowError, Settings> {
  const { cwd } = yield* Settings
  if (argument === "-") {
    const document = yield* Effect.promise(() => text(process.stdin))
    return { title: "the standard input", base: cwd, document }
  }
  const path = resolve(cwd, argument)
  const document = yield* Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: (error) => unreadable(argument, error as { code?: string }),
  })
  const title = `"${argument}"`
  return isPipe(path) ? { title, base: cwd, document } : { title, base: dirname(path), document, path }
})

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
