import { expect, test } from "bun:test"
import { Effect } from "effect"
import { makeSecrets } from "../sources/secrets.ts"
import { telemetryLayer } from "./telemetry.ts"

test("telemetry sends traces and logs to the collector, without secrets", async () => {
  const received: { path: string; body: string }[] = []
  using collector = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      received.push({ path: new URL(request.url).pathname, body: await request.text() })
      return Response.json({})
    },
  })
  const secrets = makeSecrets()
  secrets.add("hunter2hunter2")
  const work = Effect.logInfo("signed in with hunter2hunter2", { token: "hunter2hunter2" }).pipe(
    Effect.andThen(Effect.logError("failed", new Error("hunter2hunter2"))),
    Effect.withSpan("run.started"),
  )
  const layer = telemetryLayer({ otlpUrl: `http://127.0.0.1:${collector.port}/`, mask: secrets.mask })
  await Effect.runPromise(work.pipe(Effect.provide(layer)))
  const sent = (path: string) =>
    received
      .filter((each) => each.path === path)
      .map(({ body }) => body)
      .join("\n")
  expect(sent("/v1/traces")).toContain("run.started")
  expect(sent("/v1/logs")).toContain("signed in with ***")
  expect(sent("/v1/logs")).not.toContain("hunter2")
})

test("telemetry is silent where no collector is named", async () => {
  await Effect.runPromise(
    Effect.logDebug("nothing").pipe(Effect.provide(telemetryLayer({ otlpUrl: undefined, mask: String }))),
  )
})
