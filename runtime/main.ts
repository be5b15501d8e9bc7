import process from "node:process"
import packageJson from "../package.json" with { type: "json" }
import { limitHeap } from "./bun/heap.ts"

limitHeap()
// Loaded only now: the process may just have started anew.
const { launch } = await import("./cli/launch.ts")
const code = await launch(process.argv.slice(2), packageJson.version)
// Drivers may hold the process open, and what is printed to a pipe leaves later; the standard output has left.
await new Promise((done) => process.stderr.write("", done))
process.exit(code)
