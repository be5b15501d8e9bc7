/** The name that was probably meant: the one with the fewest typing mistakes, if they are few for its length. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined
  let fewest = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of names) {
    const mistakes = distance(name.toLowerCase(), candidate.toLowerCase())
    if (mistakes >= fewest) continue
    nearest = candidate
    fewest = mistakes
  }
  return nearest
}

/** Levenshtein: letters to insert, delete or replace. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replaced, above[j]! + 1, row[j - 1]! + 1))
    }
    above = row
  }
  return above[b.length]!
}
