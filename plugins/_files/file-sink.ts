import type {
  Batch,
  Compression,
  FileWriter,
  FinalFile,
  Frame,
  Part,
  Parts,
  Session,
  Sink,
  SinkRequest,
  SplitRef,
  WriteReceipt,
} from "../../core/contract/index.ts"

/** How an output writes files; everything else about its commits is the same for all. */
export interface FileFormat {
  /** Of the parts. */
  readonly compression: Compression
  /** Writes the rows of a split; returns how many, without the rejected. */
  writePart(file: Pick<FileWriter, "write">, rows: Rows, session: Session): Promise<number>
  /** The files that the parts become. */
  finals(parts: Parts, committed: readonly Part[], session: Session): readonly FinalFile[]
  /** What is left to do once they are there; it may be done twice. */
  published?(files: number, session: Session): Promise<void>
}

export type Rows = AsyncIterable<Batch | Frame>

/**
 * A sink whose splits are parts of files that appear when all of them are there. The parts outlive `finish`, so that a
 * run that crashes before its end is recorded knows what it has done; they go when the sink is disposed of.
 */
export async function openFileSink(
  path: string,
  request: SinkRequest,
  format: FileFormat,
  opened: Session,
): Promise<Sink> {
  const parts = await opened.files.parts(path, { run: opened.run, step: request.step })
  let isFinished = false
  return { write, committed, finish, abort: () => parts.remove(), [Symbol.asyncDispose]: dispose }

  async function write(split: SplitRef, rows: Rows, session: Session): Promise<WriteReceipt> {
    const file = await parts.create(split, { compression: format.compression })
    try {
      const written = await format.writePart(file, guarded(rows, session), session)
      const note = split.note()
      await session.sealed()
      mustGoOn(session)
      await file.commit({ written, note })
      return { written, guarantee: "exactly-once" }
    } catch (error) {
      // Why the split failed matters more than what is left of it, which the end of the run removes.
      await file.abort().catch(() => {})
      throw error
    }
  }

  async function committed(split: string) {
    const part = await parts.committed(split)
    return part && { written: part.written, note: part.note, guarantee: "exactly-once" as const }
  }

  async function finish(session: Session): Promise<void> {
    const all = await parts.list()
    if (all.length !== request.splits)
      throw session.failure("data", `Cannot write "${path}": ${all.length} of ${request.splits} splits are there`)
    await session.sealed()
    await parts.publish(format.finals(parts, all, session))
    await format.published?.(all.length, session)
    isFinished = true
  }

  async function dispose(): Promise<void> {
    if (!isFinished) return
    try {
      await parts.remove()
    } catch (error) {
      // The files are there, whatever stands beside them.
      opened.log.warn(error instanceof Error ? error.message : String(error))
    }
  }

  function mustGoOn(session: Session): void {
    if (session.signal.aborted) throw session.failure("cancelled", `Cannot go on writing "${path}": it was stopped`)
  }

  async function* guarded(rows: Rows, session: Session): AsyncGenerator<Batch | Frame> {
    for await (const batch of rows) {
      mustGoOn(session)
      yield batch
    }
  }
}
