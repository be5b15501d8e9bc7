/** Replaces secrets in texts. */
export interface SecretMask {
  add(secret: string): void
  /** The text with every secret replaced by `***`. */
  mask(text: string): string
}

export function makeSecretMask(): SecretMask {
  const known = new Map<string, RegExp>()
  let longestFirst: readonly RegExp[] = []
  return {
    add(secret) {
      for (const form of formsOf(secret)) if (!known.has(form)) known.set(form, patternOf(form))
      longestFirst = [...known].toSorted(([a], [b]) => b.length - a.length).map(([, pattern]) => pattern)
    },
    mask: (text) => longestFirst.reduce((masked, pattern) => masked.replace(pattern, "***"), text),
  }
}

/** A secret as it is, as JSON and URLs spell it, and the lines of a long one, such as a key. */
function formsOf(secret: string): Set<string> {
  const lines = secret.split(/\r?\n/).map((line) => line.trim())
  const parts = [secret, secret.trim(), ...lines.filter((line) => line.length >= LINE_CHARACTERS)]
  const forms = parts.flatMap((part) => [part, JSON.stringify(part).slice(1, -1), encoded(part)])
  return new Set(forms.filter((form) => form !== ""))
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

/** A short secret is masked where it stands alone: replacing every "a" would make messages unreadable and hide nothing. */
function patternOf(secret: string): RegExp {
  const literal = secret.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")
  return secret.length < SHORT_CHARACTERS
    ? new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, "gu")
    : new RegExp(literal, "gu")
}

const SHORT_CHARACTERS = 4
const LINE_CHARACTERS = 8
