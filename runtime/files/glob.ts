import type { Dirent } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { join, parse } from "node:path"
import { makeFileFailure } from "./file-failure.ts"

/**
 * Absolute paths of the files that an absolute pattern names, each once, sorted. As in a shell, wildcards do not match
 * a leading dot, and `**` does not follow symbolic links. A file of exactly that name wins.
 */
export async function glob(pattern: string): Promise<readonly string[]> {
  if (await pathExists(pattern)) return [pattern]
  if (isPlain(pattern)) return []
  const found = new Set<string>()
  for (const plain of expandBraces(pattern)) {
    const { root } = parse(plain)
    await walk(root, plain.slice(root.length).split("/").filter(Boolean), found)
  }
  return [...found].sort((a, b) => (a < b ? -1 : 1))
}

async function walk(folder: string, parts: readonly string[], found: Set<string>): Promise<void> {
  const [part, ...rest] = parts
  if (part === undefined) return
  if (part === "**") {
    await walk(folder, rest.length === 0 ? ["*"] : rest, found)
    for (const entry of await entries(folder)) {
      if (entry.isDirectory() && !entry.name.startsWith(".")) await walk(join(folder, entry.name), parts, found)
    }
    return
  }
  if (isPlain(part)) {
    const path = join(folder, part)
    if (rest.length > 0) return walk(path, rest, found)
    if (await isFile(path)) found.add(path)
    return
  }
  const expression = segmentExpression(part)
  for (const entry of await entries(folder)) {
    if (!expression.test(entry.name)) continue
    const path = join(folder, entry.name)
    if (rest.length > 0) await walk(path, rest, found)
    else if (entry.isFile() || (!entry.isDirectory() && (await isFile(path)))) found.add(path)
  }
}

async function entries(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

export async function pathExists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isDirectory()
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

/** True when nothing but an exact name is meant. */
function isPlain(pattern: string): boolean {
  return !/[*?[{]/.test(pattern)
}

function isAbsent(error: unknown): boolean {
  const { code } = error as { code?: string }
  return code === "ENOENT" || code === "ENOTDIR"
}

/** One pattern without braces for every choice: `a{b,c}` is `ab` and `ac`. A brace without a partner stands for itself. */
function expandBraces(pattern: string): string[] {
  for (let open = pattern.indexOf("{"); open >= 0; open = pattern.indexOf("{", open + 1)) {
    const choices: string[] = []
    let depth = 0
    let from = open + 1
    for (let at = open; at < pattern.length; at++) {
      const character = pattern[at]
      if (character === "{") depth++
      else if (character === "," && depth === 1) {
        choices.push(pattern.slice(from, at))
        from = at + 1
      } else if (character === "}" && --depth === 0) {
        choices.push(pattern.slice(from, at))
        if (choices.length === 1) break
        return choices.flatMap((choice) => expandBraces(pattern.slice(0, open) + choice + pattern.slice(at + 1)))
      }
    }
  }
  return [pattern]
}

/** What a part of a path between slashes matches. */
function segmentExpression(part: string): RegExp {
  let source = part.startsWith(".") ? "" : "(?!\\.)"
  for (let at = 0; at < part.length; at++) {
    const character = part[at]!
    const close = character === "[" ? part.indexOf("]", at + (/[!^]/.test(part[at + 1] ?? "") ? 3 : 2)) : -1
    if (character === "*") source += ".*"
    else if (character === "?") source += "."
    else if (close > 0) {
      const body = part.slice(at + 1, close)
      const negated = /^[!^]/.test(body)
      source += `[${negated ? "^" : ""}${(negated ? body.slice(1) : body).replace(/[\\\]^[]/g, "\\$&")}]`
      at = close
    } else source += character.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&")
  }
  try {
    return new RegExp(`^${source}$`, "su")
  } catch (cause) {
    throw makeFileFailure("config", `Cannot use "${part}" as pattern: a range in its brackets runs backwards`, {
      cause,
    })
  }
}
