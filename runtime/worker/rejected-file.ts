import { type FileHandle, mkdir, open } from "node:fs/promises"
import { dirname } from "node:path"
import { failure, type PluginError, pluginError } from "../../core/host/failure.ts"
import type { Journal, Rejection } from "../../core/run/journal.ts"

export interface RejectedFile {
  readonly journal: Journal["Service"]
  /** Why rows could not be kept, if so. */
  fault(): PluginError | undefined
}

/**
 * Keeps rejected rows as JSON lines. The file is made with the first of them, and only its owner may read it, because it
 * holds data. A file that is there is appended to.
 */
export function makeRejectedFile(path: string): RejectedFile {
  let lines: string[] = []
  let waiting = 0
  let file: FileHandle | undefined
  let written = false
  let writing: Promise<void> = Promise.resolve()
  let fault: Error | undefined
  return {
    journal: {
      inputOpened: nothing,
      splitStarted: nothing,
      reject: add,
      sealed: async () => void (await flush()),
      splitCommitted: nothing,
      finished,
    },
    fault: () => (fault === undefined ? undefined : pluginError(fault)),
  }

  function add(rejection: Rejection): void {
    // What cannot be kept must not be dropped silently: the run ends.
    if (fault !== undefined) throw fault
    const line = lineOf(rejection)
    lines.push(line)
    waiting += line.length
    if (waiting >= BUFFER_CHARACTERS) write()
  }

  async function finished(): Promise<readonly string[]> {
    const place = await flush()
    if (fault !== undefined) throw fault
    return place === undefined ? [] : [`rejected rows: ${place}`]
  }

  async function flush(): Promise<string | undefined> {
    write()
    await writing
    const opened = file
    file = undefined
    await attempt(async () => {
      await opened?.sync().catch(unlessPipe)
      await opened?.close()
    })
    return written ? path : undefined
  }

  function write(): void {
    if (lines.length === 0) return
    const text = lines.join("")
    lines = []
    waiting = 0
    writing = writing.then(() =>
      attempt(async () => {
        if (fault !== undefined) return
        if (file === undefined) {
          await mkdir(dirname(path), { recursive: true, mode: 0o700 })
          file = await open(path, "a", 0o600)
        }
        await file.appendFile(text)
        written = true
      }),
    )
  }

  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      fault ??= reasonOf(path, error)
    }
  }
}

/** A pipe or a terminal has nothing to sync. */
function unlessPipe(error: { readonly code?: string }): void {
  if (error.code !== "EINVAL" && error.code !== "ENOTSUP") throw error
}

function lineOf({ runId, step, split, row, position, column, value, reason, code, record }: Rejection): string {
  return `${JSON.stringify({ runId, step, split, row, position, column, value, reason, code, record })}\n`
}

function reasonOf(path: string, error: unknown): Error {
  const { code = "unknown", message } = error as { code?: string; message: string }
  const full = code === "ENOSPC" || code === "EDQUOT"
  const cause = full ? "the disk is full" : code === "EACCES" ? "permission denied" : message
  return failure(full ? "resource" : "permission", `Cannot keep rejected rows in "${path}": ${cause}`, {
    code,
    cause: error,
    hint: full
      ? "Free some space, or choose another place with --rejected FILE"
      : "Choose another place with --rejected FILE",
  })
}

const nothing = async () => {}
const BUFFER_CHARACTERS = 65_536
