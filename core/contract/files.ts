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
   * Folders are made. An existing file is replaced only by `commit`.
   */
  create(path: string, options?: { readonly compression?: Compression }): Promise<FileWriter>
  /** Gives a file that `create` committed its final name, atomically; one of that name is replaced. */
  rename(path: string, to: string): Promise<void>
  exists(path: string): Promise<boolean>
  remove(path: string): Promise<void>
}

export interface FileInfo {
  readonly path: string
  readonly bytes: number
}

export interface FileWriter {
  /** Resolves when the bytes are taken over; the caller may then reuse the memory. Fails with reason `resource` on a full disk. */
  write(data: Uint8Array): Promise<void>
  /** Flushes to disk and renames into place. */
  commit(): Promise<void>
  /** Removes what was written. Safe to call after `commit`, where it does nothing. */
  abort(): Promise<void>
}
