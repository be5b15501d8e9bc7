import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { embeddedFiles } from "bun"
import { Effect } from "effect"
import { answerPage } from "../../web/pages/assets.ts"
import { unpackAssets } from "../../web/pages/pack.ts"

/** The pages as they were bundled: inside the binary, or made of the sources when somebody first asks for one. */
export const openPages = Effect.sync(() => {
  let opening: Promise<ReturnType<typeof unpackAssets>> | undefined
  return async (request: Request): Promise<Response | undefined> => {
    opening ??= packed().then(unpackAssets)
    return answerPage(request, await opening)
  }
})

async function packed(): Promise<Uint8Array> {
  const inside = embeddedFiles.find((file) => /^ui(-\w+)?\.pack$/.test((file as File).name)) // they all have a name
  if (inside !== undefined) return inside.bytes()
  const root = fileURLToPath(new URL("../..", import.meta.url))
  const made = Bun.spawn([process.execPath, join(root, "scripts/ui.ts")], { cwd: root, stderr: "pipe" })
  const said = await new Response(made.stderr).text()
  if ((await made.exited) !== 0) throw new Error(`Cannot bundle the pages: ${said}`)
  return Bun.file(join(root, "dist/ui.pack")).bytes()
}
