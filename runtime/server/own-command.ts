import process from "node:process"
import { fileURLToPath } from "node:url"

/** How this program is started once more: a program and its first words. */
export function ownCommand(): readonly [program: string, ...words: string[]] {
  const isCompiled = import.meta.url.includes("$bunfs")
  return isCompiled ? [process.execPath] : [process.execPath, fileURLToPath(new URL("../main.ts", import.meta.url))]
}
