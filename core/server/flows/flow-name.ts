/** A name as it is kept, or what is wrong with it. */
export type ReadName = { readonly name: string } | { readonly fault: string }

/** Of a flow: 64 characters, and none that file systems or addresses take for something else. */
export function readFlowName(text: string): ReadName {
  const name = text.normalize("NFC")
  const fault = partFault(name, "The name")
  if (fault !== undefined) return { fault }
  const length = [...name].length
  return length > MOST_NAME ? { fault: `The name has ${length} characters, the most is ${MOST_NAME}` } : { name }
}

/** Of a folder: names with slashes between them; empty is the root. */
export function readFolder(text: string): ReadName {
  const name = text.normalize("NFC").replace(/^\/|\/$/g, "")
  if (name === "") return { name }
  const length = [...name].length
  if (length > MOST_FOLDER) return { fault: `The folder has ${length} characters, the most is ${MOST_FOLDER}` }
  for (const part of name.split("/")) {
    const fault = partFault(part, "A part of the folder")
    if (fault !== undefined) return { fault }
  }
  return { name }
}

function partFault(name: string, what: string): string | undefined {
  if (name === "") return `${what} is empty`
  if (name.trim() !== name) return `${what} begins or ends with a space`
  if (name === "." || name === "..") return `${what} is "${name}", which means a folder`
  const [forbidden] = /[|\\/:?<>*"]/.exec(name) ?? []
  if (forbidden !== undefined) return `${what} has ${forbidden}, and may have none of | \\ / : ? < > * "`
  // Controls, lone surrogates, and what turns the direction of text, so that one name looks like another.
  return /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/u.test(name)
    ? `${what} has a character that nobody can see`
    : undefined
}

const MOST_NAME = 64
const MOST_FOLDER = 256
