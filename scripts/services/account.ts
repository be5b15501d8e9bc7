import { chmodSync, lstatSync, mkdirSync, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/**
 * The words before a command that make it run without privileges: database servers refuse to run as root. Empty for a
 * normal user. `setpriv` replaces itself by the command, so the process id stays the command's.
 */
export function unprivileged(): readonly string[] {
  return process.getuid?.() === 0 ? ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"] : []
}

/** Makes a new folder that the server's account owns. */
export function makeFolder(kind: string): string {
  const folder = mkdtempSync(join(tmpdir(), `headrace-${kind}-`))
  chmodSync(folder, 0o755)
  if (!run([...unprivileged(), "test", "-x", folder]).ok)
    throw new Error(
      `Cannot start ${kind} in "${folder}": its account may not enter that folder; point TMPDIR at a folder that everybody may enter, such as /tmp`,
    )
  return folder
}

/** Hands a file or folder to the server's account. */
export function handOver(...paths: readonly string[]): void {
  if (process.getuid?.() === 0) must(["chown", "-R", `${NOBODY}:${NOBODY}`, ...paths])
}

/** Where prepared installations and empty data folders are kept between runs. */
export function cacheFolder(): string {
  const folder = join(tmpdir(), `headrace-services-${process.getuid?.() ?? "user"}`)
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const found = lstatSync(folder)
  // The temp folder is shared: somebody else could have put it there first, with binaries of theirs in it.
  if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid) || (found.mode & 0o022) !== 0)
    throw new Error(`Cannot use the cache folder "${folder}": it belongs to somebody else; remove it`)
  return folder
}

/** Runs a command to its end. */
export function run(command: readonly string[], env?: Record<string, string>): { ok: boolean; output: string } {
  const result = Bun.spawnSync([...command], { stdout: "pipe", stderr: "pipe", cwd: "/", ...(env && { env }) })
  return { ok: result.success, output: `${result.stdout}${result.stderr}`.trim() }
}

export function must(command: readonly string[], env?: Record<string, string>): string {
  const { ok, output } = run(command, env)
  if (!ok) throw new Error(`Cannot run "${command.join(" ")}": ${output || "it failed without a word"}`)
  return output
}

/** `nobody` and `nogroup` on Debian and its kin. */
const NOBODY = 65534
