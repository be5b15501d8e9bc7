/** Where files of flows and of data sources may lie. */
export interface FolderPolicy {
  /** Absolute; relative paths start from the first. */
  readonly folders: readonly string[]
  /** Where Headrace keeps its own files: shut, but for folders that lie deeper in it. */
  readonly closed: string
}

/**
 * The absolute path that is meant, without `.` and `..`, or undefined where it lies outside of what is open. Links on the
 * disk are for whoever opens the file to follow.
 */
export function openPath({ folders, closed }: FolderPolicy, path: string): string | undefined {
  const [base] = folders
  if (base === undefined || path.includes("\0")) return undefined
  const absolute = plainPath(path.startsWith("/") ? path : `${base}/${path}`)
  const isOpen = folders.some((folder) => {
    if (!isWithin(plainPath(folder), absolute)) return false
    return !isWithin(plainPath(closed), absolute) || isWithin(plainPath(closed), plainPath(folder), "deeper")
  })
  return isOpen ? absolute : undefined
}

/**
 * The same for a path with wildcards and templates: true where whatever they become stays inside. A template may stand
 * for anything, so nothing is said of it here; whoever opens the file asks again.
 */
export function mayBeOpen(policy: FolderPolicy, pattern: string): boolean {
  const template = pattern.search(/[$]\{|[$]\[/)
  // Alternatives such as {a/b,../..} cannot be told from folders.
  if (/[{,]/.test(pattern.replaceAll("${", "")) && pattern.includes("..")) return false
  if (template === -1) return openPath(policy, pattern) !== undefined
  const known = pattern.slice(0, template)
  if (known === "") return true
  const folder = known.slice(0, known.lastIndexOf("/") + 1)
  return folder === "" || openPath(policy, folder) !== undefined || isAbove(policy, folder)
}

/** A template behind it can still lead into what is open. */
function isAbove({ folders }: FolderPolicy, folder: string): boolean {
  return folder.startsWith("/") && folders.some((open) => isWithin(plainPath(folder), plainPath(open)))
}

function plainPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue
    if (part === "..") parts.pop()
    else parts.push(part)
  }
  return `/${parts.join("/")}`
}

function isWithin(folder: string, path: string, how: "same" | "deeper" = "same"): boolean {
  if (folder === path) return how === "same"
  return path.startsWith(folder === "/" ? "/" : `${folder}/`)
}
