import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs"
import { dirname } from "node:path"
import { KEY_BYTES } from "../../core/server/sources/master-keys.ts"

/** The bytes of keys, newest first. */
export type KeyBytes = readonly [Uint8Array<ArrayBuffer>, ...Uint8Array<ArrayBuffer>[]]

/** Reads keys from text: each is 32 bytes in base64, on a line of its own or behind a comma; `#` begins a comment. */
export function readKeys(text: string): KeyBytes | { readonly fault: string } {
  const words = text
    .replaceAll(/#.*/g, "")
    .split(/[\s,]+/)
    .filter((word) => word !== "")
  const keys: Uint8Array<ArrayBuffer>[] = []
  for (const [i, word] of words.entries()) {
    const bytes = bytesOf(word)
    if (bytes?.length !== KEY_BYTES)
      return { fault: `key ${i + 1} of ${words.length} is not ${KEY_BYTES} bytes in base64` }
    if (!keys.some((key) => key.every((byte, at) => byte === bytes[at]))) keys.push(bytes)
  }
  const [first, ...others] = keys
  return first === undefined ? { fault: "it holds no key" } : [first, ...others]
}

function bytesOf(word: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.fromBase64(word, { alphabet: /[-_]/.test(word) ? "base64url" : "base64" })
  } catch {
    return undefined
  }
}

export function newKeyText(): string {
  return crypto.getRandomValues(new Uint8Array(KEY_BYTES)).toBase64()
}

/** Makes the file with one key, readable by its owner only. One that is there stays as it is. */
export function makeKeyFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${crypto.randomUUID()}`
  writeDurably(draft, HEADER + newKeyText(), 0o600)
  try {
    // A link appears with all of its content, or fails where somebody else was faster.
    linkSync(draft, path)
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw error // of the file system
  } finally {
    rmSync(draft, { force: true })
  }
  syncFolder(dirname(path))
}

/** Puts a new key before those that are there. */
export function addKey(path: string): void {
  const before = readFileSync(path, "utf8")
  const mode = statSync(path).mode & 0o777
  const draft = `${path}.${crypto.randomUUID()}`
  writeDurably(draft, `${HEADER + newKeyText()}\n${before.replace(HEADER, "").trimEnd()}`, mode)
  renameSync(draft, path)
  syncFolder(dirname(path))
}

function writeDurably(path: string, text: string, mode: number): void {
  const file = openSync(path, "wx", mode)
  try {
    writeSync(file, `${text}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r")
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

const HEADER = "# Keys that seal the secrets in Headrace's store, newest first. Without them the secrets are lost.\n"
