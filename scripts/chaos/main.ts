import { rmSync } from "node:fs"
import { makeFolder } from "../services/account.ts"
import { parseOptions, usage } from "./arguments.ts"
import { runCampaign } from "./campaign.ts"
import { SmallDisk } from "./full-disk.ts"
import { failureText, rowText, tableText } from "./report.ts"
import { stopWorkers } from "./worker.ts"

const ENTERED = "HEADRACE_CHAOS_NAMESPACE"

enterNamespace()
try {
  process.exitCode = await main(process.argv.slice(2))
} catch (cause) {
  console.error(cause instanceof Error ? cause.message : cause)
  process.exitCode = 2
}

async function main(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv)
  if (options === "help") {
    console.log(usage())
    return 0
  }
  const folder = makeFolder("chaos")
  process.once("exit", stopWorkers)
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))
  if (options.json !== undefined) rmSync(options.json, { force: true })
  console.log(`seed ${options.seed}${SmallDisk.isPossible ? "" : "; without full-target, as only root can mount"}`)
  const began = performance.now()
  const rows = await runCampaign(options, folder, (row) => console.log(rowText(row)))
  console.log(`\n${tableText(rows, (performance.now() - began) / 1000)}`)
  const failures = failureText(rows, options)
  if (failures === "") {
    rmSync(folder, { recursive: true, force: true })
    return 0
  }
  console.log(`\n${failures}`)
  return 1
}

/** Small disks are mounted where nobody else sees them, and go with this process however it ends. */
function enterNamespace(): void {
  if (!SmallDisk.isPossible || process.env[ENTERED] !== undefined) return
  const unshare = Bun.which("unshare")
  if (unshare === null || typeof process.execve !== "function") return
  const words = ["unshare", "--mount", "--propagation", "private", process.execPath, ...process.argv.slice(1)]
  process.execve(unshare, words, { ...process.env, [ENTERED]: "1" })
}
