import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { projectFiles, root } from "./source-files.ts"

export const registryPath = "plugins/registry.gen.ts"

/** Static imports of every built-in plugin: a compiled binary cannot list its folders. */
export function registrySource(files: readonly string[]): string {
  const names = files.flatMap((file) => /^plugins\/([^_/][^/]*)\/plugin\.ts$/.exec(file)?.[1] ?? []).sort()
  return [
    '// Made by "bun run registry".',
    'import type { Plugin } from "../core/contract/index.ts"',
    ...names.map((name) => `import ${identifier(name)} from "./${name}/plugin.ts"`),
    "",
    "/** The built-in plugins, by name. */",
    `export const plugins: readonly Plugin[] = [${names.map(identifier).join(", ")}]`,
    "",
  ].join("\n")
}

/** Plugin folders are named after systems and verbs, some of which are words of the language. */
function identifier(name: string): string {
  return `${name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())}Plugin`
}

if (import.meta.main) {
  writeFileSync(join(root, registryPath), registrySource(projectFiles("plugins/*/plugin.ts")))
  console.log(`${registryPath} is up to date`)
}
