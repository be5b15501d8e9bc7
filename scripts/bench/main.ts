import { rmSync } from "node:fs"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseOptions, usage } from "./arguments.ts"
import { allCases } from "./cases.ts"
import { requireClients } from "./clients.ts"
import { compare } from "./compare.ts"
import { generate, printRows } from "./data.ts"
import { checkMemory } from "./memory.ts"
import { findOurs } from "./ours.ts"
import { type Outcome, printHeader, printTable, writeJson } from "./report.ts"
import { benchServer } from "./server/main.ts"
import { startServers } from "./servers.ts"

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (cause) {
  console.error(cause instanceof Error ? cause.message : cause)
  process.exitCode = 2
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === "server") return benchServer(argv.slice(1))
  const options = parseOptions(argv)
  if (options === "help") {
    console.log(usage(allCases.map((each) => each.name)))
    return 0
  }
  const cases = options.cases.length === 0 ? allCases : allCases.filter((each) => options.cases.includes(each.name))
  const unknown = options.cases.filter((name) => name !== "memory" && !allCases.some((each) => each.name === name))
  if (unknown.length > 0) {
    console.error(
      `Cannot run "${unknown.join(" ")}": the cases are ${allCases.map((each) => each.name).join(", ")}, memory`,
    )
    return 2
  }
  const clients = await requireClients()
  const folder = await mkdtemp(join(tmpdir(), "headrace-bench-"))
  const wantsMariadb = cases.some((each) => each.needsMariadb)
  if (options.keep) console.log(`folder   ${folder}`)
  else {
    // Also after Ctrl-C: the data files are large.
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
    process.once("SIGINT", () => process.exit(130))
  }
  await using servers = await startServers(options, wantsMariadb && clients.mariadb !== undefined)
  const bench = { options, folder, clients, servers, ours: await findOurs(options.ours) }
  await printHeader(bench)
  const memory = options.cases.includes("memory") ? await checkMemory(bench) : []
  const outcomes: Outcome[] = [...memory]
  if (cases.length > 0) {
    const source = await generate(bench, { rows: options.rows, mariadb: wantsMariadb })
    printRows(source)
    for (const each of cases) outcomes.push(...(await compare(bench, each, source)))
  }
  printTable(outcomes)
  if (options.json !== undefined) await writeJson(options.json, outcomes)
  return options.strict && outcomes.some((each) => each.verdict === "missed" || each.verdict === "failed") ? 1 : 0
}
