import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"
import type { Asset } from "../web/pages/assets.ts"
import { packAssets } from "../web/pages/pack.ts"

const root = join(import.meta.dir, "..")
/** As the styles name it: in them it would be a part of the text, which the policy for pages forbids. */
const FONT = "/assets/inter-5.woff2"
const FONT_FILE = "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"
const SOURCES = ["web/ui/**/*.{ts,tsx,css,html,svg}", "web/docs/**/*.md", "bun.lock", "scripts/ui.ts", "web/pages/*.ts"]

/** Bundles the pages into one file, unless it is newer than all it is made of; returns its path. */
export async function buildUi(outfile = join(root, "dist/ui.pack")): Promise<string> {
  if (existsSync(outfile) && statSync(outfile).mtimeMs > newest()) return outfile
  const assets = [...(await bundle()), ...docs()]
  mkdirSync(join(outfile, ".."), { recursive: true })
  // Never half there for a server that starts meanwhile.
  const temporary = `${outfile}.${process.pid}`
  writeFileSync(temporary, packAssets(assets))
  renameSync(temporary, outfile)
  return outfile
}

async function bundle(): Promise<readonly Asset[]> {
  const built = await Bun.build({
    entrypoints: [join(root, "web/ui/main.tsx"), join(root, "web/ui/theme.ts")],
    target: "browser",
    format: "esm",
    minify: true,
    splitting: true,
    publicPath: "/assets/",
    naming: { entry: "[name]-[hash].[ext]", chunk: "part-[hash].[ext]", asset: "[name]-[hash].[ext]" },
    external: ["/assets/*"],
    define: { "process.env.NODE_ENV": '"production"' },
  })
  const files = built.outputs.map((output) => ({ output, path: `/assets/${output.path.replace(/^\.?\//, "")}` }))
  const found = (pattern: RegExp) => files.find(({ path }) => pattern.test(path))?.path ?? ""
  const icon = asset("/assets/icon.svg", "image/svg+xml", readFileSync(join(root, "web/ui/icon.svg")))
  const page = readFileSync(join(root, "web/ui/index.html"), "utf8")
    .replace("{theme}", found(/\/theme-\w+\.js$/))
    .replace("{style}", found(/\/main-\w+\.css$/))
    .replace("{script}", found(/\/main-\w+\.js$/))
    .replace("{font}", FONT)
  const assets = files.map(async ({ output, path }) =>
    asset(
      path,
      output.type.replace("text/javascript;charset=utf-8", "text/javascript"),
      new Uint8Array(await output.arrayBuffer()),
    ),
  )
  const font = asset(FONT, "font/woff2", readFileSync(join(root, FONT_FILE)))
  return [asset("/index.html", "text/html", Buffer.from(page)), icon, font, ...(await Promise.all(assets))]
}

/** The user documentation, and a list of it. */
function docs(): readonly Asset[] {
  const names = [...new Bun.Glob("**/*.md").scanSync({ cwd: join(root, "web/docs") })].sort()
  const pages = names.map((name) => {
    const text = readFileSync(join(root, "web/docs", name), "utf8")
    const title = /^# (.+)$/m.exec(text)?.[1] ?? name
    return { name: name.replace(/\.md$/, ""), title, text }
  })
  const list = pages.map(({ name, title }) => ({ name, title }))
  return [
    asset("/docs/pages.json", "application/json", Buffer.from(JSON.stringify(list))),
    ...pages.map(({ name, text }) => asset(`/docs/${name}.md`, "text/markdown", Buffer.from(text))),
  ]
}

function asset(path: string, type: string, bytes: Uint8Array): Asset {
  const tag = Bun.hash(bytes).toString(36)
  if (type.startsWith("font/")) return { path, type, tag, bytes }
  const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })
  return {
    path,
    type: isText(type) ? `${type}; charset=utf-8` : type,
    tag,
    bytes,
    br,
    gzip: gzipSync(bytes, { level: 9 }),
  }
}

function isText(type: string): boolean {
  return !type.includes("charset") && /^text\/|json|svg/.test(type)
}

function newest(): number {
  const files = SOURCES.flatMap((pattern) => [...new Bun.Glob(pattern).scanSync({ cwd: root, dot: true })])
  return Math.max(...files.map((path) => statSync(join(root, path)).mtimeMs))
}

if (import.meta.main) console.log(await buildUi(process.argv[2]))
