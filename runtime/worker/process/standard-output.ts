import process from "node:process"
import { format } from "node:util"

export interface OutputCatch {
  /** What goes out by the standard output from now on. Resolves when there is room for more. */
  write(text: string): Promise<void>
}

/**
 * Takes the standard output for a channel. What anything else prints becomes lines of `say` instead, such as what
 * `console-output` shows, or a driver's stray `console.log`. The standard error stays what it is: its last words are there
 * when a process dies.
 */
export function catchOutput(say: (text: string) => void, onLost: () => void): OutputCatch {
  const { stdout } = process
  const write = stdout.write.bind(stdout)
  for (const name of ["log", "info", "debug", "table", "dir"] as const)
    console[name] = (...words: readonly unknown[]) => say(format(...words))
  stdout.write = (chunk: unknown) => {
    say(typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk as Uint8Array)) // its other kind
    return true
  }
  stdout.on("error", onLost)
  return {
    write: (text) =>
      new Promise((resolve) => {
        write(text, () => resolve())
      }),
  }
}
