import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from "node:fs"
import { join } from "node:path"

/** A file system of a few megabytes, which can be full at any instant. */
export class SmallDisk implements Disposable {
  readonly path: string
  readonly #ballast: string

  private constructor(path: string) {
    this.path = path
    this.#ballast = join(path, "ballast")
  }

  /** True where file systems can be mounted, which only root may. */
  static get isPossible(): boolean {
    return process.platform === "linux" && process.getuid?.() === 0
  }

  /** `owner` is the account that may write to it; by default this one. */
  static mount(path: string, megabytes: number, owner?: { readonly uid: number; readonly gid: number }): SmallDisk {
    mkdirSync(path, { recursive: true })
    const rights = owner === undefined ? "mode=700" : `mode=700,uid=${owner.uid},gid=${owner.gid}`
    must(["mount", "-t", "tmpfs", "-o", `size=${megabytes}m,${rights}`, "headrace-chaos", path])
    return new SmallDisk(path)
  }

  /** Leaves no byte free. */
  fill(): void {
    const file = openSync(this.#ballast, "a")
    try {
      for (let size = 1_048_576; size >= 512; ) {
        try {
          if (writeSync(file, new Uint8Array(size)) < size) size /= 2
        } catch (cause) {
          if (!(cause instanceof Error && "code" in cause && cause.code === "ENOSPC")) throw cause
          size /= 2
        }
      }
    } finally {
      closeSync(file)
    }
  }

  free(): void {
    rmSync(this.#ballast, { force: true })
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path)
    return bavail * bsize
  }

  [Symbol.dispose](): void {
    // Lazily: a server that is slow to close its files must not keep the campaign from going on.
    Bun.spawnSync(["umount", "-l", this.path])
  }
}

function must(command: readonly string[]): void {
  const { success, stderr } = Bun.spawnSync([...command], { stderr: "pipe" })
  if (!success) throw new Error(`Cannot run "${command.join(" ")}": ${stderr.toString().trim()}`)
}
