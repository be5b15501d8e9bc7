import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import type { LogLine } from "../../core/server/jobs/dispatcher.ts"
import { followRun, hasEnded } from "../remote/follow-run.ts"
import type { Server } from "../remote/server-client.ts"
import { jsonFlag } from "./flow-flags.ts"
import { asJson } from "./refusal.ts"
import { runArgument } from "./runs-command.ts"
import { Screen } from "./screen.ts"
import { aServer } from "./server-flag.ts"
import type { Style } from "./style.ts"
import { printable } from "./text-table.ts"

export const logsCommand = Command.make(
  "logs",
  {
    run: runArgument,
    follow: Flag.Boolean("follow").pipe(
      Flag.withAlias("f"),
      Flag.withDescription("Go on with new lines until the run has ended"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ run: id, follow, json }) {
    const { out, outStyle, say } = yield* Screen
    const show = (line: LogLine) => out(json ? JSON.stringify(line) : lineText(line, outStyle))
    const shown = Effect.gen(function* () {
      const server = yield* aServer
      const last = yield* kept(server, id, show)
      if (!follow) return
      const take = (event: Parameters<Parameters<typeof followRun>[2]["take"]>[0]) => {
        if (event.type === "job.logged") show(event.line)
        else if (event.type === "job.state" && hasEnded(event.job)) isKnown = true
      }
      let isKnown = false
      const run = yield* followRun(server, id, { after: last, take })
      if (!json && !isKnown) say(`the run has ended: ${run.status}`)
    })
    yield* shown.pipe(asJson(json))
  }),
).pipe(
  Command.withDescription(
    "Print the log of a run on a server, oldest line first. With --json, each line is an object.",
  ),
  Command.withShortDescription("Print the log of a run on a server"),
  Command.withExamples([{ command: "headrace logs 0mfd3zq1q2c8x1kx -f", description: "Watch a run" }]),
)

/** What there is so far; resolves with the number of the last line. */
const kept = Effect.fnUntraced(function* (server: Server, id: string, show: (line: LogLine) => void) {
  let last = 0
  for (;;) {
    const { items, next } = yield* server.call("GET /runs/:id/logs", {
      params: { id },
      query: { after: last, limit: 1000 },
    })
    for (const line of items) show(line)
    last = items.at(-1)?.line ?? last
    if (next === undefined) return last
  }
})

function lineText({ at, level, step, text }: LogLine, style: Style): string {
  const colour = level === "error" ? style.red : level === "warn" ? style.yellow : style.dim
  const place = step === null ? "" : ` [${printable(step)}]`
  return `${style.dim(new Date(at).toISOString())} ${colour(level.padEnd(5))}${place} ${printable(text)}`
}
