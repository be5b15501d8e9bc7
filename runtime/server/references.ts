import { readFile } from "node:fs/promises"
import { relative, resolve } from "node:path"
import { Effect, Layer } from "effect"
import { refuse } from "../../core/server/request-error.ts"
import { References } from "../../core/server/sources/references.ts"
import { Settings } from "../settings.ts"

/** The environment and the files of this machine, except for what is Headrace's own. Relative paths start from its folder. */
export const referencesLayer: Layer.Layer<References, never, Settings> = Layer.effect(
  References,
  Effect.gen(function* () {
    const { environment, home } = yield* Settings
    return References.of({
      resolve: Effect.fnUntraced(function* (reference) {
        if ("env" in reference) {
          const name = reference.env
          if (name.toUpperCase().startsWith("HEADRACE_"))
            return yield* refuse("invalid", `${name} is Headrace's own, and no option can take it`)
          const text = Object.hasOwn(environment, name) ? environment[name] : undefined
          if (text !== undefined) return text
          return yield* refuse("invalid", `The environment of the server has no ${name}`, {
            hint: "Set it where the server is started",
          })
        }
        const path = resolve(home, reference.file)
        if (isOwn(relative(home, path)))
          return yield* refuse("invalid", `"${reference.file}" is Headrace's own, and no option can take it`)
        return yield* Effect.tryPromise({
          // Editors and `echo` end a file with a line break, which belongs to no password.
          try: async () => (await readFile(path, "utf8")).replace(/\r?\n$/, ""),
          catch: (error) => {
            const { code = "unknown error" } = error as { code?: string } // of the file system
            return refuse("invalid", `Cannot read "${reference.file}" on the server: ${code}`)
          },
        })
      }),
    })
  }),
)

/** Keys and stores lie in the folder itself; what people put there lies deeper. */
function isOwn(path: string): boolean {
  return path === "" || (!path.startsWith("..") && !path.includes("/"))
}
