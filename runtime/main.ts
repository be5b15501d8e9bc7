import process from "node:process"
import packageJson from "../package.json" with { type: "json" }
import { limitHeap } from "./bun/heap.ts"

limitHeap()
// Loaded only now: the process may just have started anew.
const code = await start(process.argv.slice(2))
// Drivers may hold the process open, and what is printed to a pipe leaves later; the standard output has left.
await new Promise((done) => process.stderr.write("", done))
process.exit(code)

async function start(words: readonly string[]): Promise<number> {
  // Not for people: servers start it.
  if (words[0] === "worker") {
    const { work } = await import("./worker/process/main.ts")
    await work()
    // Its standard error may lead to a server that is gone: nothing is waited for.
    process.exit(0)
  }
  const { launch } = await import("./cli/launch.ts")
  return await launch(words, packageJson.version)
}
