import { type FileHandle, mkdir, open } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { Effect } from "effect"
import { failure } from "../../core/host/failure.ts"
import { type KeptRow, Quarantine } from "../../core/store/quarantine.ts"
import { Settings } from "../settings.ts"
import { asked } from "../store/store.ts"

/**
 * Appends the rejected rows of a run to a file, as JSON lines; resolves to its path, or to nothing when there are none.
 * The file is made for its owner only, because it holds data.
 */
export const appendRejected = Effect.fnUntraced(function* (run: string, file: string) {
  const { cwd } = yield* Settings
  const quarantine = yield* Quarantine
  const path = resolve(cwd, file)
  const rows = quarantine.rows({ run })
  const written = yield* asked(() =>
    writeLines(
      path,
      "a",
      mapped(rows, (row) => JSON.stringify({ runId: run, ...lineOf(row) })),
    ),
  )
  return written === 0 ? undefined : path
})

/** A row as the lines of files say it. */
export function lineOf({ id, step, split, row, position, column, value, reason, code, record }: KeptRow) {
  return { id, step, split, row, position, column, value, reason, code, record }
}

/** Writes lines as they come and tells their number; with none there is no file. */
export async function writeLines(path: string, mode: "a" | "w", lines: AsyncIterable<string>): Promise<number> {
  let file: FileHandle | undefined
  let count = 0
  let waiting: string[] = []
  let characters = 0
  try {
    for await (const line of lines) {
      waiting.push(line)
      characters += line.length
      count++
      if (characters < BUFFER_CHARACTERS) continue
      file ??= await opened(path, mode)
      await file.appendFile(textOf(waiting))
      waiting = []
      characters = 0
    }
    if (waiting.length > 0) {
      file ??= await opened(path, mode)
      await file.appendFile(textOf(waiting))
    }
    await file?.sync().catch(unlessPipe)
    return count
  } catch (error) {
    throw reasonOf(path, error)
  } finally {
    await file?.close().catch(() => undefined)
  }
}

export async function* mapped<A, B>(items: AsyncIterable<A>, turn: (item: A) => B): AsyncGenerator<B> {
  for await (const item of items) yield turn(item)
}

async function opened(path: string, mode: "a" | "w"): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  return await open(path, mode, 0o600)
}

function textOf(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`
}

/** A pipe or a terminal has nothing to sync. */
function unlessPipe(error: { readonly code?: string }): void {
  if (error.code !== "EINVAL" && error.code !== "ENOTSUP") throw error
}

function reasonOf(path: string, error: unknown): unknown {
  const { code = "unknown", message, reason } = error as { code?: string; message: string; reason?: string }
  // The store itself may have failed while it was read.
  if (reason !== undefined) return error
  const full = code === "ENOSPC" || code === "EDQUOT"
  const cause = full ? "the disk is full" : code === "EACCES" ? "permission denied" : message
  return failure(full ? "resource" : "permission", `Cannot write rejected rows to "${path}": ${cause}`, {
    code,
    cause: error,
    hint: 'They stay in quarantine; see "headrace quarantine list"',
  })
}

const BUFFER_CHARACTERS = 65_536
