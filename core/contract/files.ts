/** Compression of a file; `auto` goes by its name (`.gz`, `.zst`). */
export type Compression = "auto" | "none" | "gzip" | "zstd"

/** The file access that the host grants: only paths that the flow's configuration names. */
export interface Files {
  /** Absolute paths of the files that match, sorted by name. `*`, `?`, `[…]`, `{a,b}` and `**` are wildcards. Empty when none does. */
  list(pattern: string): Promise<readonly FileInfo[]>
  /** The bytes in chunks, decompressed. Fails with reason `missing` or `permission`. The caller may stop early. */
  read(path: string, options?: { readonly compression?: Compression }): AsyncIterable<Uint8Array>
  /**
   * Writes beside the final name and becomes visible by an atomic rename in `commit`; without it, nothing is left.
   * Folders are made. An existing file is replaced only by `commit`. An output that must survive a crash of its process
   * uses {@link parts} instead.
   */
  create(path: string, options?: { readonly compression?: Compression }): Promise<FileWriter>
  /** Gives a file another name, atomically and durably; one of that name is replaced. */
  rename(path: string, to: string): Promise<void>
  exists(path: string): Promise<boolean>
  remove(path: string): Promise<void>
  /**
   * Where a run keeps what its splits write until all are there: a hidden folder beside `path`, the file that the step
   * is to write. Makes the folders that lead to it. In a resumed run it brings back what earlier attempts committed,
   * removes what they left half-written, and makes them unable to commit or publish anything from here on. Fails with
   * reason `conflict` when an attempt with a larger fence has been here.
   */
  parts(path: string, owner: PartsOwner): Promise<Parts>
  /** Removes every part of a run that nobody will resume, whatever its fence; see {@link Output.discard}. */
  discardParts(path: string, owner: PartsOwner): Promise<void>
}

export interface FileInfo {
  readonly path: string
  readonly bytes: number
  /** When its content was last written: ISO 8601 in UTC, to the millisecond. */
  readonly modifiedAt: string
}

export interface FileWriter {
  /** Resolves when the bytes are taken over; the caller may then reuse the memory. Fails with reason `resource` on a full disk. */
  write(data: Uint8Array): Promise<void>
  /** Flushes to disk and renames into place. */
  commit(): Promise<void>
  /** Removes what was written. Safe to call after `commit`, where it does nothing. */
  abort(): Promise<void>
}

/** Whose parts they are: two outputs of one run may write beside the same file. `Session.run` fits `run`. */
export interface PartsOwner {
  readonly run: { readonly id: string; readonly fence: number }
  readonly step: string
}

/**
 * The parts of one file (or of a row of files), one a split, out of everybody's sight. Messages of its failures name the
 * file that the step is to write. Nothing here appears under its final name but by `publish`.
 */
export interface Parts {
  /**
   * What is committed of a split, by this attempt at the run or by an earlier one. Once it has said `undefined`, no try
   * at this split that began before can commit any more.
   */
  committed(split: string): Promise<Part | undefined>
  /** All that are committed, sorted by the split's id, numbers in it by value. */
  list(): Promise<readonly Part[]>
  /** Begins a try at a split and ends those before it. `auto` goes by the name of the file that the step writes. */
  create(
    split: { readonly id: string; readonly attempt: number },
    options?: { readonly compression?: Compression },
  ): Promise<PartWriter>
  /** The bytes of a committed part as they are stored: compressed as they were written. */
  read(part: Part): AsyncIterable<Uint8Array>
  /**
   * Makes the files of a run appear, each atomically. All of them are complete and durable before the first one appears,
   * and that they shall appear is durable as well: once this has begun to rename, a resumed run can only complete it,
   * with the files that were made, so calling it again does nothing twice and makes nothing anew. They stand in the
   * folder of the file for which the parts were asked. A file that is replaced leaves its permissions to the new one.
   */
  publish(files: readonly FinalFile[]): Promise<void>
  /**
   * Removes every part, those of earlier attempts included, and nothing else; what was published stays. After `publish`
   * it does so in an order in which a crash leaves the run either published or without a trace.
   */
  remove(): Promise<void>
}

export interface Part {
  readonly split: string
  /** The numbers and words that were given to `commit`. */
  readonly written: number
  readonly note: string
}

export interface PartWriter extends Pick<FileWriter, "write" | "abort"> {
  /**
   * Makes the part durable, with these facts beside it, and decides by one rename that the split is committed. Fails,
   * and leaves nothing, when a later try at the split or a later attempt at the run has begun.
   */
  commit(facts: { readonly written: number; readonly note: string }): Promise<void>
}

/** A file that a run makes visible: either what `make` writes, or a part as it is. */
export type FinalFile =
  | { readonly path: string; readonly part: Part }
  | {
      readonly path: string
      readonly compression?: Compression
      readonly make: (file: Pick<FileWriter, "write">) => Promise<void>
    }
