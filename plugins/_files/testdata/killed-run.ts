import { hookedDisk } from "./disks.ts"
import { attempt, type Mode } from "./file-run.ts"

/** An attempt at a run in a process of its own, which kills itself at its n-th operation on files. */
const [base = "", mode = "", fence = "", n = ""] = process.argv.slice(2)
let operations = 0
const disk = hookedDisk(async ({ half }) => {
  if (++operations !== Number(n)) return
  await half?.()
  process.kill(process.pid, "SIGKILL")
  await new Promise(() => {})
})
await attempt(base, mode as Mode, Number(fence), disk)
