/** The difference of two texts as `diff -u` shows it; nothing where they are the same. */
export function unifiedDiff(before: Named, after: Named): readonly string[] {
  if (before.text === after.text) return []
  const edits = editsOf(linesOf(before.text), linesOf(after.text))
  return [`--- ${before.name}`, `+++ ${after.name}`, ...hunksOf(edits)]
}

export interface Named {
  readonly name: string
  readonly text: string
}

interface Edit {
  readonly sign: " " | "-" | "+"
  readonly line: string
}

/** A last line without a line break is another one than with it, and is marked so. */
function linesOf(text: string): readonly string[] {
  if (text === "") return []
  const lines = text.split("\n")
  const last = lines.pop()!
  return last === "" ? lines : [...lines, `${last}\n\\ No newline at end of file`]
}

/** By the algorithm of Myers, http://www.xmailserver.org/diff2.pdf, behind what both begin with and before their common end. */
function editsOf(a: readonly string[], b: readonly string[]): readonly Edit[] {
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  return [
    ...same(a.slice(0, start)),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...same(a.slice(a.length - end)),
  ]
}

function middle(a: readonly string[], b: readonly string[]): readonly Edit[] {
  const paths: Map<number, number>[] = []
  let furthest = new Map([[1, 0]])
  const most = Math.min(a.length + b.length, MOST_EDITS)
  for (let edits = 0; edits <= most; edits++) {
    const reached = new Map<number, number>()
    paths.push(furthest)
    for (let k = -edits; k <= edits; k += 2) {
      const left = furthest.get(k - 1) ?? -1
      const right = furthest.get(k + 1) ?? -1
      let x = k === -edits || (k !== edits && left < right) ? right : left + 1
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++
      reached.set(k, x)
      if (x >= a.length && x - k >= b.length) return walkedBack(a, b, paths)
    }
    furthest = reached
  }
  // Texts that have next to nothing in common are shown one after the other.
  return [...a.map((line) => ({ sign: "-" as const, line })), ...b.map((line) => ({ sign: "+" as const, line }))]
}

function walkedBack(
  a: readonly string[],
  b: readonly string[],
  paths: readonly Map<number, number>[],
): readonly Edit[] {
  const edits: Edit[] = []
  let x = a.length
  let y = b.length
  for (let d = paths.length - 1; d >= 0; d--) {
    const furthest = paths[d]!
    const k = x - y
    const left = furthest.get(k - 1) ?? -1
    const right = furthest.get(k + 1) ?? -1
    const isInsert = k === -d || (k !== d && left < right)
    const fromX = isInsert ? right : left
    const fromY = fromX - (isInsert ? k + 1 : k - 1)
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      x--
      y--
      edits.push({ sign: " ", line: a[x]! })
    }
    if (d === 0) break
    if (isInsert) edits.push({ sign: "+", line: b[--y]! })
    else edits.push({ sign: "-", line: a[--x]! })
  }
  return edits.toReversed()
}

function same(lines: readonly string[]): readonly Edit[] {
  return lines.map((line) => ({ sign: " ", line }))
}

function hunksOf(edits: readonly Edit[]): readonly string[] {
  const isNear = nearness(edits)
  const lines: string[] = []
  let [before, after] = [1, 1]
  for (let i = 0; i < edits.length; ) {
    if (!isNear[i]) {
      // What is far from any change is the same in both.
      before++
      after++
      i++
      continue
    }
    let to = i
    while (to < edits.length && isNear[to]) to++
    const hunk = edits.slice(i, to)
    const [old, made] = [hunk.filter(({ sign }) => sign !== "+").length, hunk.filter(({ sign }) => sign !== "-").length]
    lines.push(`@@ -${range(before, old)} +${range(after, made)} @@`, ...hunk.map(({ sign, line }) => sign + line))
    before += old
    after += made
    i = to
  }
  return lines
}

function nearness(edits: readonly Edit[]): readonly boolean[] {
  const isNear = edits.map(() => false)
  for (const [i, { sign }] of edits.entries())
    if (sign !== " ") isNear.fill(true, Math.max(0, i - CONTEXT), i + CONTEXT + 1)
  return isNear
}

/** An empty one stands behind the line before it. */
function range(from: number, length: number): string {
  return `${length === 0 ? from - 1 : from},${length}`
}

const CONTEXT = 3
const MOST_EDITS = 2000
