import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { build } from "../build.ts"
import type { Bench } from "./bench.ts"
import { type Flow, sources } from "./flows.ts"
import type { Command } from "./measure.ts"

/** How Headrace is called, or why it cannot be. */
export type Ours = { readonly argv: readonly string[] } | { readonly missing: string }

export async function findOurs(command: readonly string[] | undefined): Promise<Ours> {
  if (command !== undefined) {
    const [program = "", ...rest] = command
    const path = Bun.which(program, { cwd: process.cwd() })
    if (path === null) return { missing: `"${program}" is not a program` }
    // The run has a folder of its own, so paths are made absolute.
    return { argv: [path, ...rest.map((word) => (existsSync(word) ? resolve(word) : word))] }
  }
  // The binary, made anew: what people run is what is measured.
  return { argv: [await build()] }
}

/** Writes the flow and its data sources, and gives the command that runs it. */
export async function oursCommand(bench: Bench, name: string, flow: Flow): Promise<Command> {
  if ("missing" in bench.ours) throw new Error(`Cannot run Headrace: ${bench.ours.missing}`)
  const flowPath = join(bench.folder, `${name}.flow.json`)
  const sourcesPath = join(bench.folder, "sources.json")
  await Bun.write(flowPath, JSON.stringify(flow, null, 2))
  await Bun.write(sourcesPath, JSON.stringify(sources(bench.servers), null, 2))
  return { argv: [...bench.ours.argv, "run", flowPath, "--sources", sourcesPath], cwd: bench.folder }
}
