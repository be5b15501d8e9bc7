import { ensureSyntaxTree, syntaxTree } from "@codemirror/language"
import type { EditorState } from "@codemirror/state"
import type { SyntaxNode, Tree } from "@lezer/common"

/** Where in a document something stands: keys of objects and places in lists. */
export type Path = readonly (string | number)[]

/** The whole tree, even where the editor has had no time yet to read all of a long document. */
export function treeOf(state: EditorState): Tree {
  return ensureSyntaxTree(state, state.doc.length, MOST_MS) ?? syntaxTree(state)
}

/** The path of what stands at a position. */
export function pathAt(state: EditorState, node: SyntaxNode): Path {
  const path: (string | number)[] = []
  for (let at: SyntaxNode | null = node; at?.parent; at = at.parent) {
    const parent: SyntaxNode = at.parent
    if (parent.name === "Property" && at.name !== "PropertyName") path.unshift(keyOf(state, parent))
    else if (parent.name === "Array" && isValue(at))
      path.unshift(valuesOf(parent).findIndex(({ from }) => from === at?.from))
  }
  return path
}

/** Range of what a JSON pointer names; of the last part of it that exists, where not all of it does. */
export function rangeOf(state: EditorState, pointer: string): { readonly from: number; readonly to: number } {
  let node = valuesOf(treeOf(state).topNode)[0]
  let range = node ? headOf(node) : { from: 0, to: 0 }
  for (const part of pointer.split("/").slice(1).map(plainPart)) {
    if (!node) break
    if (node.name === "Array") {
      node = valuesOf(node)[Number(part)]
      if (node) range = headOf(node)
    } else {
      const property = childrenOf(node, "Property").find((one) => keyOf(state, one) === part)
      node = property && valuesOf(property)[0]
      const name = property?.getChild("PropertyName")
      if (name) range = { from: name.from, to: name.to }
      if (node) range = headOf(node, range)
    }
  }
  return range
}

export function keyOf(state: EditorState, property: SyntaxNode): string {
  const name = property.getChild("PropertyName")
  return name ? textOf(state.sliceDoc(name.from, name.to)) : ""
}

export function valuesOf(node: SyntaxNode): readonly SyntaxNode[] {
  const found: SyntaxNode[] = []
  for (let child = node.firstChild; child; child = child.nextSibling) if (isValue(child)) found.push(child)
  return found
}

export function childrenOf(node: SyntaxNode, name: string): readonly SyntaxNode[] {
  return node.getChildren(name)
}

/** What a value means, as far as it is finished. */
export function readNode(state: EditorState, node: SyntaxNode | undefined): unknown {
  if (!node) return undefined
  if (node.name === "Array") return valuesOf(node).map((child) => readNode(state, child))
  if (node.name === "Object") {
    const pairs = childrenOf(node, "Property").map((one) => [keyOf(state, one), readNode(state, valuesOf(one)[0])])
    return Object.fromEntries(pairs)
  }
  try {
    return JSON.parse(state.sliceDoc(node.from, node.to)) as unknown
  } catch {
    return undefined
  }
}

export function readDocument(state: EditorState): unknown {
  return readNode(state, valuesOf(treeOf(state).topNode)[0])
}

function isValue({ name }: SyntaxNode): boolean {
  return /^(Object|Array|String|Number|True|False|Null)$/.test(name)
}

/** An object or a list is marked at its first character only, not as a whole. */
function headOf(node: SyntaxNode, name?: { readonly from: number; readonly to: number }) {
  const isLarge = node.name === "Object" || node.name === "Array"
  return isLarge ? (name ?? { from: node.from, to: node.from + 1 }) : { from: node.from, to: node.to }
}

function textOf(json: string): string {
  try {
    return String(JSON.parse(json))
  } catch {
    return json.replace(/^"|"$/g, "")
  }
}

function plainPart(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~")
}

const MOST_MS = 2000
