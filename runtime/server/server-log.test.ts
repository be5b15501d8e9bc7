import { expect, test } from "bun:test"
import { Effect, Logger } from "effect"
import { makeSecrets } from "../sources/secrets.ts"
import { makeServerLogger } from "./server-log.ts"

test("server-log writes one JSON object a line, with fields and without secrets", async () => {
  const [line, ...rest] = await logged(
    "json",
    Effect.logInfo("user signed in", { name: "ada", password: "hunter2hunter2" }),
  )
  expect(rest).toEqual([])
  expect(JSON.parse(line!)).toMatchObject({ level: "info", message: "user signed in", name: "ada", password: "***" })
})

test("server-log lets nobody write lines of it by a name with a line break", async () => {
  const forged = "x\n2026-01-01T00:00:00.000Z INFO  admin signed in\u001b[2J"
  for (const format of ["json", "text"] as const) {
    const lines = await logged(format, Effect.logWarning(`flow ${forged} failed`, { flow: forged }))
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toContain("\u001b")
  }
})

test("server-log tells the cause of a fault, masked", async () => {
  const [line] = await logged("json", Effect.logError("cannot answer", causeOf(new Error("password hunter2hunter2"))))
  expect(JSON.parse(line!).failure).toContain("password ***")
})

function causeOf(error: Error) {
  return Effect.runSyncExit(Effect.fail(error)).pipe((exit) => (exit._tag === "Failure" ? exit.cause : undefined))
}

async function logged(format: "json" | "text", effect: Effect.Effect<void>): Promise<string[]> {
  let written = ""
  const secrets = makeSecrets()
  secrets.add("hunter2hunter2")
  const logger = makeServerLogger({ out: { write: (text) => (written += text) }, mask: secrets.mask, format })
  await Effect.runPromise(effect.pipe(Effect.provide(Logger.layer([logger]))))
  return written.trimEnd().split("\n")
}
