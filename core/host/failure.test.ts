import { expect, test } from "bun:test"
import { failure, pluginError } from "./failure.ts"

test("failure counts connection, conflict and timeout as retryable unless it is told otherwise", () => {
  expect(failure("connection", "x").retryable).toBe(true)
  expect(failure("conflict", "x").retryable).toBe(true)
  expect(failure("timeout", "x").retryable).toBe(true)
  expect(failure("data", "x").retryable).toBe(false)
  expect(failure("timeout", "x", { retryable: false }).retryable).toBe(false)
  expect(failure("data", "x", { retryable: true, code: "40001", hint: "h" })).toMatchObject({
    retryable: true,
    code: "40001",
    hint: "h",
    reason: "data",
  })
  const cause = new Error("cause")
  expect(failure("data", "x", { cause }).cause).toBe(cause)
})

test("pluginError reads failures by their shape", () => {
  expect(pluginError({ message: "m", reason: "connection" })).toMatchObject({ reason: "connection", retryable: true })
  expect(pluginError({ message: "m", reason: "nonsense" })).toMatchObject({ reason: "unknown", retryable: false })
  expect(pluginError(Object.assign(new Error("m"), { code: "08006", hint: "h" }), "s")).toMatchObject({
    reason: "unknown",
    code: "08006",
    hint: "h",
    step: "s",
  })
  expect(pluginError(new DOMException("stop", "AbortError")).reason).toBe("cancelled")
  // DOMException and system errors have numbers for codes.
  expect(pluginError(new DOMException("stop", "AbortError")).code).toBeUndefined()
})

test("pluginError has a message for everything that can be thrown", () => {
  expect(pluginError("text").message).toBe("text")
  expect(pluginError(null).message).toBe("null")
  expect(pluginError(undefined).message).toBe("undefined")
  expect(pluginError(Symbol("s")).message).toBe("Symbol(s)")
  expect(pluginError(Object.create(null)).message).toBe("Something failed without a message")
  expect(pluginError(new TypeError("")).message).toBe("Something failed without a message: TypeError")
  expect(pluginError({ message: 5 }).message).toBe("Something failed without a message")
})

test("pluginError keeps the step that is known, and adds one that is not", () => {
  const first = pluginError(new Error("m"), "first")
  expect(pluginError(first, "second")).toBe(first)
  const bare = pluginError(failure("data", "m", { hint: "h" }))
  expect(pluginError(bare, "second")).toMatchObject({ step: "second", message: "m", reason: "data", hint: "h" })
})
