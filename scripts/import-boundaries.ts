import { dirname, join, normalize } from "node:path"

/** One import as it stands in a file. `type` imports leave no trace at run time. */
export interface Import {
  readonly specifier: string
  readonly type: boolean
}

/** Why a file breaks the import table of the design, one line a fault. Tests and what serves them may import anything. */
export function boundaryFaults(path: string, source: string, packages: Packages): string[] {
  if (isTest(path)) return []
  const room = roomOf(path)
  const rule = RULES.find((one) => one.room.test(path))
  if (!rule) return [`${path}: stands in no room of the design`]
  const faults = importsOf(source, path).flatMap(({ specifier, type }) => {
    const target = targetOf(path, specifier)
    if (!target.startsWith("package:") && isTest(target)) return [`imports "${specifier}", which is for tests`]
    if (target.startsWith("package:") && !isDeclared(target.slice(8), type, packages))
      return [`imports "${specifier}", which is not among the dependencies of package.json`]
    if (rule.may(target, type, path)) return []
    return [`must not import ${type ? "types of " : ""}"${specifier}" from ${room}`]
  })
  if (rule.pure) faults.push(...runtimeNames(source, path).map((name) => `names "${name}", which only runtime may`))
  if (rule.typesOnly && transpilerOf(path).transformSync(source).trim() !== "")
    faults.push("exports something that exists at run time")
  return faults.map((fault) => `${path}: ${fault}`)
}

/** Every import, type imports included. */
export function importsOf(source: string, path = "module.ts"): Import[] {
  const text = withoutComments(source)
  const atRunTime = new Set(
    transpilerOf(path)
      .scanImports(source)
      .map((found) => found.path),
  )
  const found: Import[] = []
  for (const [, keyword = "", specifier = ""] of text.matchAll(STATEMENT))
    found.push({ specifier, type: /^(import|export)\s+type[\s{*]/.test(keyword) })
  for (const [, specifier = ""] of text.matchAll(SIDE_EFFECT)) found.push({ specifier, type: false })
  for (const [, specifier = ""] of text.matchAll(CALL)) found.push({ specifier, type: !atRunTime.has(specifier) })
  // What the expressions did not see, the parser did.
  for (const specifier of atRunTime)
    if (!found.some((one) => one.specifier === specifier && !one.type)) found.push({ specifier, type: false })
  return found
}

export interface Packages {
  readonly dependencies: Readonly<Record<string, string>>
}

interface Rule {
  readonly room: RegExp
  /** `target` is a path from the root, or `package:<specifier>`. */
  may(target: string, type: boolean, path: string): boolean
  readonly pure?: boolean
  readonly typesOnly?: boolean
}

const RULES: readonly Rule[] = [
  { room: /^core\/contract\//, may: (target) => target.startsWith("core/contract/"), pure: true, typesOnly: true },
  { room: /^core\/(store|server)\//, may: (target) => isCore(target) || isPackage(target, "drizzle-orm"), pure: true },
  { room: /^core\//, may: isCore, pure: true },
  { room: /^plugins\/registry\.gen\.ts$/, may: (target, type) => isPluginModule(target) || isContract(target, type) },
  {
    room: /^plugins\/[^/]+\//,
    may: (target, type, path) =>
      target.startsWith(`${path.split("/").slice(0, 2).join("/")}/`) ||
      /^plugins\/_(sql|files)\//.test(target) ||
      isContract(target, type) ||
      isDriver(target),
    pure: true,
  },
  {
    room: /^web\/ui\//,
    may: (target, type) =>
      target.startsWith("web/ui/") ||
      (type && target.startsWith("web/api/")) ||
      (type && target.startsWith("core/")) ||
      (target.startsWith("package:") && !isMachine(target) && !DRIVERS.some((name) => isPackage(target, name))),
  },
  {
    room: /^web\//,
    may: (target) => isCore(target) || target.startsWith("web/") || isPackage(target, "hono"),
    pure: true,
  },
  {
    room: /^runtime\//,
    may: (target) =>
      /^(core|runtime|web)\//.test(target) ||
      target === "plugins/registry.gen.ts" ||
      target === "package.json" ||
      target.startsWith("package:"),
  },
  { room: /^scripts\//, may: () => true },
]

function isCore(target: string): boolean {
  return target.startsWith("core/") || isPackage(target, "effect")
}

function isContract(target: string, type: boolean): boolean {
  return type && target === "core/contract/index.ts"
}

function isPluginModule(target: string): boolean {
  return /^plugins\/[^_/][^/]*\/plugin\.ts$/.test(target)
}

/** Built-in modules that are a driver, or what a driver takes: postgres.js leaves the socket to its user. */
const BUILT_IN_DRIVERS = ["package:node:sqlite", "package:node:net", "package:node:tls", "package:node:buffer"]

/** Any package may be a driver, except what belongs to the host. */
function isDriver(target: string): boolean {
  if (BUILT_IN_DRIVERS.includes(target)) return true
  if (!target.startsWith("package:") || isMachine(target)) return false
  return !HOST_PACKAGES.some((name) => isPackage(target, name))
}

/** Modules of a runtime, with or without their prefix. */
function isMachine(target: string): boolean {
  const name = target.slice(8)
  return /^(node|bun|deno|jsr|npm|https?):/.test(name) || name === "bun" || BUILT_IN.has(name)
}

function isPackage(target: string, name: string): boolean {
  return target === `package:${name}` || target.startsWith(`package:${name}/`)
}

function isDeclared(specifier: string, type: boolean, packages: Packages): boolean {
  if (isMachine(`package:${specifier}`)) return true
  const parts = specifier.split("/")
  const name = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? "")
  return name in packages.dependencies || (type && `@types/${name}` in packages.dependencies)
}

function isTest(path: string): boolean {
  return /\.test\.tsx?$|(^|\/)testdata\/|^scripts\//.test(path)
}

function roomOf(path: string): string {
  const parts = path.split("/")
  return parts.length > 2 ? parts.slice(0, 2).join("/") : (parts[0] ?? path)
}

function targetOf(path: string, specifier: string): string {
  if (specifier === "headrace/contract") return "core/contract/index.ts"
  if (specifier.startsWith(".")) return normalize(join(dirname(path), specifier))
  return `package:${specifier}`
}

/** Globals of one runtime. Strings are blanked first; members such as `job.process` are not meant. */
function runtimeNames(source: string, path: string): string[] {
  const code = transpilerOf(path)
    .transformSync(source)
    .replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\$])*`/g, '""')
  const names = [
    ...code.matchAll(/(?<![\w$.])(?:globalThis\??\.)?(Bun|Deno|process|Buffer|require|__dirname)\b(?!\s*:)/g),
  ]
  const declared = new Set(
    [...code.matchAll(/\b(?:const|let|var|function|import\s*\{)\s*(\w+)/g)].map((found) => found[1]),
  )
  return [...new Set(names.flatMap((found) => found[1] ?? []))].filter((name) => !declared.has(name))
}

function withoutComments(source: string): string {
  return source.replace(STRING_OR_COMMENT, (text) => (text.startsWith("/") ? " " : text))
}

/** A generic arrow function is an element in tsx. */
function transpilerOf(path: string): Bun.Transpiler {
  return path.endsWith(".tsx") ? tsx : ts
}

const ts = new Bun.Transpiler({ loader: "ts", target: "bun" })
const tsx = new Bun.Transpiler({ loader: "tsx", target: "bun" })
const STRING_OR_COMMENT = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
const STATEMENT = /\b((?:import|export)\b[\w\s{},*$]*?)\bfrom\s*["']([^"']+)["']/g
const SIDE_EFFECT = /\bimport\s*["']([^"']+)["']/g
const CALL = /\bimport\s*\(\s*["'`]([^"'`]+)["'`]/g
const HOST_PACKAGES = ["effect", "@effect", "hono", "drizzle-orm", "react", "react-dom", "@xyflow/react", "headrace"]
const DRIVERS = ["postgres", "mysql2"]
const BUILT_IN: ReadonlySet<string> = new Set(
  (await import("node:module")).builtinModules.filter((name) => !name.includes(":") && !name.startsWith("_")),
)
