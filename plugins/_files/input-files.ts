import type { Column, Columns, FileInfo, Session, Split } from "../../core/contract/index.ts"
import { typeName } from "../_sql/type-name.ts"

/** A file of an input, and one split of it. */
export interface InputFile extends FileInfo {
  /** The path below the folder that all files share: short, and the same in a resumed run. */
  readonly label: string
}

/** The files that patterns match, each once though several match it. Each pattern must match one. */
export async function findFiles(path: string | readonly string[], session: Session): Promise<InputFile[]> {
  const found = new Map<string, FileInfo>()
  for (const pattern of [path].flat()) {
    const files = await session.files.list(pattern)
    if (files.length === 0)
      throw session.failure("missing", `Cannot read "${pattern}": no file matches`, {
        hint: "Check the path; relative paths start at the run's folder",
      })
    for (const file of files) found.set(file.path, file)
  }
  return labelled([...found.values()])
}

export function splitOf({ label, path, bytes, modifiedAt }: InputFile): Split {
  return { id: label, label, state: { path, bytes, modifiedAt } satisfies FileInfo }
}

/** The file of a split that {@link splitOf} made, if perhaps by way of JSON. */
export function fileOf({ id, state }: Split): InputFile {
  return { ...(state as FileInfo), label: id }
}

/** The files of an interrupted run, in their order, though others match by now. Fails when one has changed since. */
export async function earlierFiles(splits: readonly Split[], session: Session): Promise<InputFile[]> {
  for (const split of splits) {
    const difference = await changeOf(split, session)
    if (difference === undefined) continue
    throw session.failure("data", `Cannot read "${fileOf(split).path}" as when the run began: ${difference}`, {
      hint: "Bring back the file as it was, or start the run anew",
    })
  }
  return splits.map(fileOf)
}

/** Fails when a file is not what it was when its split was made. */
export async function mustBeUnchanged(split: Split, session: Session): Promise<void> {
  const difference = await changeOf(split, session)
  if (difference === undefined) return
  throw session.failure("data", `Cannot read "${fileOf(split).path}" as one state: ${difference}`, {
    hint: "Run again when the file is complete",
  })
}

/** Fails when columns are not what the plan has promised of them. */
export function mustBeAsPlanned(
  columns: Columns,
  planned: Columns | undefined,
  file: InputFile,
  session: Session,
): void {
  const differences = (planned ?? []).flatMap((column) => {
    const now = columns.find(({ name }) => name === column.name)
    if (now !== undefined && described(now) === described(column)) return []
    return [`column "${column.name}" was ${described(column)} and is ${now === undefined ? "gone" : described(now)}`]
  })
  if (differences.length === 0) return
  throw session.failure("data", `Cannot read "${file.label}" as it was planned: ${differences.join("; ")}`, {
    hint: "Start the run anew, so that it is planned for what the files hold now",
  })
}

/** Names as a person reads them. */
export function quote(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ")
}

async function changeOf(split: Split, session: Session): Promise<string | undefined> {
  const { path, bytes, modifiedAt } = fileOf(split)
  // A file that is gone must not make its name a pattern for others.
  const now = (await session.files.list(path)).find((file) => file.path === path)
  if (now === undefined) return "it is gone"
  if (now.bytes !== bytes) return `it had ${bytes} bytes and has ${now.bytes}`
  return now.modifiedAt === modifiedAt ? undefined : `it was written at ${now.modifiedAt}, before at ${modifiedAt}`
}

function described({ type, nullable }: Column): string {
  return nullable ? typeName(type) : `${typeName(type)} without NULL`
}

function labelled(files: readonly FileInfo[]): InputFile[] {
  const folders = files.map((file) => file.path.split("/").slice(0, -1))
  let shared = folders[0]?.length ?? 0
  for (const folder of folders) {
    let same = 0
    while (same < shared && folder[same] === folders[0]![same]) same++
    shared = same
  }
  return files.map((file) => ({ ...file, label: file.path.split("/").slice(shared).join("/") }))
}
