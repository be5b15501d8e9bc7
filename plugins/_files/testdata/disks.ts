import * as node from "node:fs/promises"
import type { Disk } from "../../../runtime/files/disk.ts"

/** Called before every operation on files; `half` does a write by half. */
export type Hook = (operation: { readonly name: string; readonly half?: () => Promise<unknown> }) => Promise<void>

/** The machine's disk, with something that happens before every operation. */
export function hookedDisk(hook: Hook): Disk {
  const names = ["chmod", "mkdir", "open", "readdir", "readFile", "rename", "rm", "rmdir", "stat"] as const
  const calls = names.map((name) => [
    name,
    async (...args: unknown[]) => {
      await hook({ name })
      // The arguments are those of the function that is replaced.
      const result: unknown = await (node[name] as (...args: unknown[]) => unknown)(...args)
      return name === "open" ? hookedHandle(result as node.FileHandle, hook) : result
    },
  ])
  return Object.fromEntries(calls) as Disk
}

function hookedHandle(handle: node.FileHandle, hook: Hook): node.FileHandle {
  return new Proxy(handle, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== "function") return value
      return async (...args: unknown[]) => {
        const [data, at, length] = args
        const half = () => target.write(data as Uint8Array, at as number, Number(length) >> 1, null)
        if (name !== "close") await hook({ name: String(name), ...(name === "write" && { half }) })
        return (value as (...args: unknown[]) => unknown).apply(target, args)
      }
    },
  })
}

/** A disk on which nothing works any more from the n-th operation on, as for a process that is killed. */
export function dyingDisk(n: number): { readonly disk: Disk; operations(): number } {
  let operations = 0
  const disk = hookedDisk(async ({ half }) => {
    operations++
    if (operations === n) await half?.()
    if (operations >= n) throw new Error("The process is dead")
  })
  return { disk, operations: () => operations }
}

/** A disk on which the n-th operation waits. */
export function pausingDisk(n: number): {
  readonly disk: Disk
  /** Resolves when the n-th operation is reached. */
  readonly paused: Promise<void>
  readonly resume: () => void
} {
  let operations = 0
  const reached = Promise.withResolvers<void>()
  const going = Promise.withResolvers<void>()
  const disk = hookedDisk(async () => {
    if (++operations < n) return
    reached.resolve()
    await going.promise
  })
  return { disk, paused: reached.promise, resume: going.resolve }
}
