import { Effect } from "effect"
import { decodeConfig } from "../host/config.ts"
import { type Flow, flowSchema, MOST_CHARACTERS } from "./flow-schema.ts"
import { readJson } from "./json-position.ts"
import { type FlowError, flowError } from "./problem.ts"

/** Reads a flow document from its text; `name` is what messages call it, such as the file's name. */
export const readFlow = Effect.fnUntraced(function* (text: string, name: string): Effect.fn.Return<Flow, FlowError> {
  if (text.length > MOST_CHARACTERS) {
    const message = `Cannot read ${name}: it has ${text.length} characters, the most is ${MOST_CHARACTERS}`
    return yield* flowError([{ message }])
  }
  const json = readJson(text)
  if ("fault" in json) {
    const { line, column, message } = json.fault
    return yield* flowError([{ message: `Cannot read ${name}: line ${line}, column ${column}: ${message}` }])
  }
  return yield* checkFlow(json.value)
})

/** Checks the shape of a flow document and fills in the defaults. */
export const checkFlow = Effect.fnUntraced(function* (document: unknown): Effect.fn.Return<Flow, FlowError> {
  const result = decodeConfig(flowSchema, document)
  if ("problems" in result) return yield* flowError(result.problems)
  // The schema has just proved the shape.
  return result.config as unknown as Flow
})
