/** A name as it is kept, or what is wrong with it. */
export function readSourceName(name: string): { readonly name: string } | { readonly fault: string } {
  const plain = name.normalize("NFC")
  const length = [...plain].length
  if (length === 0) return { fault: "A data source needs a name" }
  if (length > MOST_CHARACTERS) return { fault: `The name has ${length} characters, the most is ${MOST_CHARACTERS}` }
  return /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_-]*$/u.test(plain)
    ? { name: plain }
    : { fault: "The name may hold letters, digits, _ and -, and begins with none of the latter" }
}

const MOST_CHARACTERS = 64
