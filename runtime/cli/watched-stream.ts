import type { ScreenStream } from "./screen.ts"

interface Stream {
  readonly isTTY?: boolean
  write(text: string, done: (error?: Error | null) => void): unknown
  on(event: "error", listener: (error: Error) => void): unknown
}

/** A stream that remembers what could not be written: without it a full disk would look like success. */
export interface WatchedStream extends ScreenStream {
  /** Resolves when everything has left: to the first failure, if there was one that a user should know of. */
  drained(): Promise<Error | undefined>
}

export function watched(stream: Stream): WatchedStream {
  let failure: Error | undefined
  const note = (error: unknown) => {
    // A reader that has seen enough, such as `head`, is no failure.
    if (error instanceof Error && (error as { code?: string }).code !== "EPIPE") failure ??= error
  }
  // Without a listener Deno ends the process.
  stream.on("error", note)
  const write = (text: string, done: () => void) => {
    try {
      stream.write(text, (error) => {
        note(error)
        done()
      })
    } catch (error) {
      // Deno throws some failures where Bun calls back.
      note(error)
      done()
    }
  }
  return {
    get isTTY() {
      return stream.isTTY === true
    },
    write: (text) => write(text, () => {}),
    async drained() {
      // What follows a failure may never be answered.
      if (failure === undefined) await new Promise<void>((done) => write("", done))
      return failure
    },
  }
}
