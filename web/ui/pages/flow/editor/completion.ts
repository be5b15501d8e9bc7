import { type Completion, type CompletionContext, type CompletionResult, snippet } from "@codemirror/autocomplete"
import type { EditorState } from "@codemirror/state"
import type { SyntaxNode } from "@lezer/common"
import { childrenOf, keyOf, type Path, pathAt, readDocument, treeOf } from "./json-tree.ts"
import { type Schema, schemasAt } from "./schema-walk.ts"

/** What can be named in a flow besides what its schema lists. */
export interface Names {
  readonly components: readonly { readonly id: string; readonly title: string; readonly kind: string }[]
  readonly sources: readonly { readonly name: string; readonly type: string }[]
}

/** Completes keys and values of a flow document. */
export function completeFlow(schema: Schema, names: Names) {
  return (context: CompletionContext): CompletionResult | null => {
    const { state, pos } = context
    const node = treeOf(state).resolveInner(pos, -1)
    const word = node.name === "PropertyName" || node.name === "String" ? node : undefined
    const from = word?.from ?? context.matchBefore(/[\w-]*$/)?.from ?? pos
    if (!word && from === pos && !context.explicit && !/[[{,:]\s*$/.test(state.sliceDoc(Math.max(0, pos - 200), pos)))
      return null
    const to = word && !word.type.isError ? Math.max(pos, word.to) : pos
    const object = keyPlace(state, node, pos)
    const document = readDocument(state)
    const options = object
      ? keys(state, object, schemasAt(schema, document, pathAt(state, object)))
      : values(valuePath(state, node), document, schema, names)
    if (options.length === 0) return null
    return { from, to, options, validFor: /^"?[\w .@/-]*"?$/ }
  }
}

/** The object of which a key is written, if one is. */
function keyPlace(state: EditorState, node: SyntaxNode, pos: number): SyntaxNode | undefined {
  if (node.name === "PropertyName") return node.parent?.parent ?? undefined
  if (node.name === "String") return undefined
  let object: SyntaxNode | null = node
  while (object && object.name !== "Object" && object.name !== "Array" && object.name !== "Property")
    object = object.parent
  if (
    object?.name === "Property" &&
    /^\s*(,\s*)?$/.test(state.sliceDoc(object.to, pos)) &&
    !/:\s*$/.test(state.sliceDoc(object.from, pos))
  )
    object = object.parent
  return object?.name === "Object" ? object : undefined
}

function valuePath(state: EditorState, node: SyntaxNode): Path {
  if (node.name === "Property") return [...pathAt(state, node), keyOf(state, node)]
  if (node.name === "Array") return [...pathAt(state, node), 0]
  if (node.name === "⚠" && node.parent?.name === "Property")
    return [...pathAt(state, node.parent), keyOf(state, node.parent)]
  if (node.parent?.name === "Property" && node.name === ":")
    return [...pathAt(state, node.parent), keyOf(state, node.parent)]
  return pathAt(state, node)
}

function keys(state: EditorState, object: SyntaxNode, schemas: readonly Schema[]): readonly Completion[] {
  const present = new Set(childrenOf(object, "Property").map((property) => keyOf(state, property)))
  const required = new Set(schemas.flatMap((schema) => schema.required ?? []))
  const known = new Map(schemas.flatMap((schema) => Object.entries(schema.properties ?? {})))
  return [...known].flatMap(([name, schema]) => {
    if (present.has(name)) return []
    const isNeeded = required.has(name)
    const option: Completion = {
      label: `"${name}"`,
      type: "property",
      detail: isNeeded ? "required" : typeText(schema),
      boost: isNeeded ? 50 : 0,
      ...(schema.description && { info: schema.description }),
      apply: (view, completion, from, to) => {
        const hasColon = /^\s*:/.test(view.state.sliceDoc(to, to + 20))
        const value = hasColon ? "" : `: ${hole(schema)}`
        snippet(`"${name.replaceAll(/[\\{}$#]/g, "\\$&")}"${value}`)(view, completion, from, to)
      },
    }
    return [option]
  })
}

function values(path: Path, document: unknown, root: Schema, names: Names): readonly Completion[] {
  const schemas = schemasAt(root, document, path)
  const texts = namesAt(path, document, names, schemas)
  const fromSchema = schemas.flatMap((schema): readonly Completion[] => {
    const info = schema.description ? { info: schema.description } : {}
    const listed = [...(schema.const === undefined ? [] : [schema.const]), ...(schema.enum ?? [])]
    const all =
      listed.length > 0
        ? listed
        : [...booleans(schema), ...(schema.default === undefined ? [] : [schema.default]), ...(schema.examples ?? [])]
    return all.map((value) => ({
      label: JSON.stringify(value),
      type: "enum",
      ...(value === schema.default && { detail: "default" }),
      ...info,
    }))
  })
  const seen = new Set<string>()
  return [...texts, ...fromSchema].filter(({ label }) => !seen.has(label) && Boolean(seen.add(label)))
}

/** Names that only the server, or the rest of the document, knows. */
function namesAt(
  path: Path,
  document: unknown,
  { components, sources }: Names,
  schemas: readonly Schema[],
): readonly Completion[] {
  const last = path.at(-1)
  const text = (name: string, detail: string): Completion => ({ label: JSON.stringify(name), type: "text", detail })
  if (path[0] === "steps" && path.length === 3 && last === "use")
    return components.filter(({ kind }) => kind !== "database").map(({ id, title }) => text(id, title))
  const types = schemas.flatMap((schema) => schema["x-dataSource"] ?? [])
  if (types.length > 0)
    return sources.filter(({ type }) => types.includes(type)).map(({ name, type }) => text(name, type))
  if (path[0] === "hops" && (last === "from" || last === "to")) return stepIds(document).map((id) => text(id, "step"))
  return []
}

function stepIds(document: unknown): readonly string[] {
  if (typeof document !== "object" || document === null || !("steps" in document)) return []
  return Array.isArray(document.steps) ? document.steps.flatMap(({ id }) => (typeof id === "string" ? [id] : [])) : []
}

function booleans({ type }: Schema): readonly boolean[] {
  return type === "boolean" ? [true, false] : []
}

function typeText({ type, enum: listed }: Schema): string {
  if (listed) return listed.map(String).join(" | ").slice(0, 40)
  return Array.isArray(type) ? type.join(" | ") : String(type ?? "")
}

/** What is put behind a new key, with the place to go on writing. */
function hole({ type, default: usual, enum: listed }: Schema): string {
  if (usual !== undefined && typeof usual !== "object")
    return `#{${JSON.stringify(usual).replaceAll(/[{}\\]/g, "\\$&")}}`
  if (listed) return `#{${JSON.stringify(listed[0])}}`
  if (type === "object") return "\\{#{}\\}"
  if (type === "array") return "[#{}]"
  if (type === "string") return '"#{}"'
  if (type === "boolean") return "#{true}"
  return "#{}"
}
