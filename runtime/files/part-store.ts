import { randomBytes } from "node:crypto"
import { basename, dirname, join } from "node:path"
import type { Compression, FinalFile, Part, Parts, PartsOwner, PartWriter } from "../../core/contract/index.ts"
import { codeOf, type Disk, isThere, syncFolder } from "./disk.ts"
import { compressionOf, FileBody } from "./file-body.ts"
import { fileFailure, guard, makeFileFailure } from "./file-failure.ts"
import { readBytes } from "./file-reader.ts"
import { keepMode, makeFolder, mustBeNoFolder } from "./file-writer.ts"
import { claimFolder, discardFolders, type Place, placeOf, shortName, takenOver } from "./part-folder.ts"
import { DECISION, type Decision, recover, type StoredPart, writeDecision, writeNote } from "./part-record.ts"

export interface PartsRequest {
  readonly disk: Disk
  /** Absolute. */
  readonly target: string
  readonly owner: PartsOwner
  /** The absolute path of a final file; fails when the flow does not name it. */
  readonly locate: (path: string) => string
}

export async function openParts(request: PartsRequest): Promise<Parts> {
  const { disk, target, owner } = request
  const place = placeOf(target, owner)
  return guard("write", target, async () => {
    await mustBeNoFolder(disk, target)
    await makeFolder(disk, place.folder)
    const folder = await claimFolder(disk, place, owner.run.fence)
    const found = await recover(disk, folder).catch(async (error: unknown) => {
      throw codeOf(error) === "ENOENT" && !(await isThere(disk, folder)) ? takenOver(place) : error
    })
    return new PartStore(request, place, folder, found)
  })
}

class PartStore implements Parts {
  readonly #disk: Disk
  readonly #place: Place
  readonly #folder: string
  readonly #fence: number
  readonly #locate: PartsRequest["locate"]
  /** Only what was there when the folder was taken over, and what this attempt has committed, counts. */
  readonly #stored = new Map<string, StoredPart>()
  /** The try at a split that may commit it. */
  readonly #latest = new Map<string, symbol>()
  readonly #committing = new Map<string, Promise<void>>()
  #decision: Decision | undefined
  #isPublished = false

  constructor(
    { disk, owner, locate }: PartsRequest,
    place: Place,
    folder: string,
    found: { readonly parts: readonly StoredPart[]; readonly decision?: Decision },
  ) {
    this.#disk = disk
    this.#place = place
    this.#folder = folder
    this.#fence = owner.run.fence
    this.#locate = locate
    this.#decision = found.decision
    for (const stored of found.parts) this.#stored.set(stored.part.split, stored)
  }

  async committed(split: string): Promise<Part | undefined> {
    // A try that cannot be stopped may be in its last step.
    await this.#committing.get(split)
    const part = this.#all().find((each) => each.split === split)
    if (part === undefined) this.#latest.delete(split)
    return part
  }

  async list(): Promise<readonly Part[]> {
    const { compare } = new Intl.Collator("en", { numeric: true })
    return this.#all().sort((a, b) => compare(a.split, b.split) || (a.split < b.split ? -1 : 1))
  }

  create(
    split: { readonly id: string; readonly attempt: number },
    options: { readonly compression?: Compression } = {},
  ): Promise<PartWriter> {
    return this.#guard("write", async () => {
      const token = Symbol(split.id)
      this.#latest.set(split.id, token)
      await this.#committing.get(split.id)
      const compression = compressionOf(this.#place.target, options.compression)
      const random = randomBytes(4).toString("hex")
      const stem = `${shortName(split.id, 60)}.${this.#fence}-${split.attempt}-${random}`
      const body = new FileBody(await this.#disk.open(this.#at(`${stem}.tmp`), "wx"), compression)
      return {
        write: (data) => this.#guard("write", () => body.write(data)),
        commit: (facts) => this.#guard("write", () => this.#commit({ split: split.id, ...facts }, stem, body, token)),
        abort: async () => {
          await body.drop()
          if (this.#stored.get(split.id)?.stem !== stem) await this.#guard("write", () => this.#drop(stem))
        },
      }
    })
  }

  read(part: Part): AsyncIterable<Uint8Array> {
    const stored = this.#stored.get(part.split)
    if (stored === undefined) throw new RangeError(`Cannot read a part of "${part.split}": it is not committed`)
    return this.#bytes(this.#at(`${stored.stem}.part`))
  }

  publish(files: readonly FinalFile[]): Promise<void> {
    return this.#guard("write", async () => {
      if (this.#decision === undefined) {
        const decision = { files: await this.#prepare(files), parts: await this.list() }
        await writeDecision(this.#disk, this.#folder, decision, this.#fence)
        this.#decision = decision
      }
      for (const file of this.#decision.files) await this.#appear(file)
      await syncFolder(this.#disk, this.#place.folder)
      await this.#mustBeOurs()
      this.#isPublished = true
    })
  }

  remove(): Promise<void> {
    return this.#guard("remove the parts of", async () => {
      if (this.#isPublished) await this.#removePublished()
      await discardFolders(this.#disk, this.#place, this.#fence)
    })
  }

  async *#bytes(path: string): AsyncGenerator<Uint8Array> {
    try {
      yield* readBytes(path)
    } catch (error) {
      throw await this.#understood("read a part of", error)
    }
  }

  async #commit(part: Part, stem: string, body: FileBody, token: symbol): Promise<void> {
    await body.finish()
    await writeNote(this.#disk, this.#at(`${stem}.note`), part, body.bytes)
    await syncFolder(this.#disk, this.#folder)
    if (this.#latest.get(part.split) !== token)
      throw makeFileFailure("conflict", `Cannot write "${this.#place.target}": split ${part.split} is tried anew`, {
        retryable: false,
      })
    const earlier = this.#stored.get(part.split)
    const committing = this.#rename(part, stem)
    this.#committing.set(
      part.split,
      committing.catch(() => {}),
    )
    try {
      await committing
    } finally {
      this.#committing.delete(part.split)
    }
    if (earlier !== undefined) await this.#drop(earlier.stem)
  }

  /** The rename that decides. */
  async #rename(part: Part, stem: string): Promise<void> {
    await this.#disk.rename(this.#at(`${stem}.tmp`), this.#at(`${stem}.part`))
    await syncFolder(this.#disk, this.#folder)
    this.#stored.set(part.split, { part, stem })
  }

  /** Names in the folder of what shall appear, whole and durable, under which names. */
  async #prepare(files: readonly FinalFile[]): Promise<Decision["files"]> {
    const prepared: Decision["files"][number][] = []
    for (const [index, file] of files.entries()) {
      const path = this.#locate(file.path)
      if (dirname(path) !== this.#place.folder)
        throw makeFileFailure("config", `Cannot write "${path}": it is not in the folder of "${this.#place.target}"`)
      await guard("write", path, () => mustBeNoFolder(this.#disk, path))
      const from = "part" in file ? `${this.#stemOf(file.part)}.part` : `${index + 1}.${this.#fence}.final`
      if ("make" in file) await this.#make(this.#at(from), compressionOf(path, file.compression), file.make)
      const { ino } = await this.#disk.stat(this.#at(from), { bigint: true })
      await keepMode(this.#disk, path, this.#at(from))
      prepared.push({ from, to: basename(path), inode: String(ino) })
    }
    return prepared
  }

  async #make(
    path: string,
    compression: "none" | "gzip" | "zstd",
    make: (file: Pick<PartWriter, "write">) => Promise<void>,
  ): Promise<void> {
    // One that was given up half-way is made anew.
    await this.#disk.rm(path, { force: true })
    const body = new FileBody(await this.#disk.open(path, "wx"), compression)
    try {
      await make({ write: (data) => this.#guard("write", () => body.write(data)) })
      await body.finish()
    } catch (error) {
      await body.drop()
      await this.#disk.rm(path, { force: true }).catch(() => {})
      throw error
    }
  }

  async #appear({ from, to, inode }: Decision["files"][number]): Promise<void> {
    const path = join(this.#place.folder, to)
    try {
      await this.#disk.rename(this.#at(from), path)
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw fileFailure("write", path, error)
      await this.#mustBeOurs()
      // It has appeared already, unless somebody has removed it or put another one in its place.
      const there = await this.#disk.stat(path, { bigint: true }).catch(() => undefined)
      if (String(there?.ino) === inode) return
      throw makeFileFailure("conflict", `Cannot write "${path}": what this run had ready for it is gone`, {
        retryable: false,
        hint: "Look whether another run has written the file since, and give this one up",
      })
    }
  }

  /** The decision goes last: as long as it stands, the run is published. */
  async #removePublished(): Promise<void> {
    const names = await this.#disk.readdir(this.#folder)
    for (const name of names) if (name !== DECISION) await this.#disk.rm(this.#at(name), { force: true })
    await syncFolder(this.#disk, this.#folder)
    await this.#disk.rm(this.#at(DECISION), { force: true })
    await this.#disk.rmdir(this.#folder)
    await syncFolder(this.#disk, this.#place.folder)
  }

  #all(): Part[] {
    return this.#decision === undefined ? [...this.#stored.values()].map(({ part }) => part) : [...this.#decision.parts]
  }

  #stemOf(part: Part): string {
    return this.#stored.get(part.split)!.stem
  }

  /** Part first: a note without a part is nothing, a part has its note. */
  async #drop(stem: string): Promise<void> {
    for (const ending of ["tmp", "part", "note"]) await this.#disk.rm(this.#at(`${stem}.${ending}`), { force: true })
  }

  #at(name: string): string {
    return join(this.#folder, name)
  }

  async #mustBeOurs(): Promise<void> {
    if (!(await isThere(this.#disk, this.#folder))) throw takenOver(this.#place)
  }

  async #guard<A>(action: string, work: () => Promise<A>): Promise<A> {
    try {
      return await work()
    } catch (error) {
      throw await this.#understood(action, error)
    }
  }

  /** Hidden paths mean nothing to a person: names the file that is to be written, and who has removed its parts. */
  async #understood(action: string, error: unknown): Promise<Error> {
    const { target } = this.#place
    if (codeOf(error) !== "ENOENT" || "reason" in (error as object)) return fileFailure(action, target, error)
    if (!(await isThere(this.#disk, this.#folder).catch(() => true))) return takenOver(this.#place)
    return makeFileFailure("missing", `Cannot ${action} "${target}": somebody has removed one of its hidden parts`, {
      cause: error,
    })
  }
}
