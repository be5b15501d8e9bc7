import { readFileSync } from "node:fs"
import { join } from "node:path"

export const root: string = join(import.meta.dir, "..")

/** Paths of what is under version control or about to be, from the root, sorted. */
export function projectFiles(pattern = "**/*"): string[] {
  return [...new Bun.Glob(pattern).scanSync({ cwd: root, dot: true, onlyFiles: true })]
    .filter((path) => !/^(\.git|node_modules|dist|tmp)\/|\/node_modules\/|\.log$|(^|\/)\.DS_Store$/.test(path))
    .sort()
}

/** TypeScript of the five rooms. */
export function sourceFiles(): string[] {
  return projectFiles("{core,plugins,runtime,web,scripts}/**/*.{ts,tsx}")
}

export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8")
}
