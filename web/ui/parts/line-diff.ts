/** A line of either side, with its number there. */
export interface DiffLine {
  readonly kind: "same" | "added" | "removed"
  readonly before?: number
  readonly after?: number
  readonly text: string
}

/** What lies between two texts, line by line (Myers, with the common ends taken off first). */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const [a, b] = [before.split("\n"), after.split("\n")]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const same = (from: number, count: number, shift: number): readonly DiffLine[] =>
    Array.from({ length: count }, (_, nth) => ({
      kind: "same",
      before: from + nth + 1,
      after: from + nth + 1 + shift,
      text: a[from + nth] ?? "",
    }))
  const middle = script(a.slice(start, a.length - end), b.slice(start, b.length - end), start)
  return [...same(0, start, 0), ...middle, ...same(a.length - end, end, b.length - a.length)]
}

/** Only what has changed, with some lines around it; numbers stand for how many lines are left out. */
export function hunks(lines: readonly DiffLine[], around = 3): readonly (DiffLine | number)[] {
  const near = new Set<number>()
  for (const [at, { kind }] of lines.entries())
    if (kind !== "same") for (let nth = at - around; nth <= at + around; nth++) near.add(nth)
  const shown: (DiffLine | number)[] = []
  for (const [at, line] of lines.entries()) {
    if (near.has(at)) shown.push(line)
    else if (typeof shown.at(-1) === "number") shown.push(Number(shown.pop()) + 1)
    else shown.push(1)
  }
  return shown
}

function script(a: readonly string[], b: readonly string[], shift: number): readonly DiffLine[] {
  const removed = (nth: number): DiffLine => ({ kind: "removed", before: shift + nth + 1, text: a[nth] ?? "" })
  const added = (nth: number): DiffLine => ({ kind: "added", after: shift + nth + 1, text: b[nth] ?? "" })
  const most = a.length + b.length
  // So much has changed that a comparison would say nothing.
  if (most > MOST) return [...a.keys()].map(removed).concat([...b.keys()].map(added))
  const reach = new Map([[1, 0]])
  const trace: Map<number, number>[] = []
  for (let d = 0; d <= most; d++) {
    trace.push(new Map(reach))
    for (let k = -d; k <= d; k += 2) {
      const isDown = k === -d || (k !== d && (reach.get(k - 1) ?? 0) < (reach.get(k + 1) ?? 0))
      let x = isDown ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1
      let y = x - k
      while (x < a.length && y < b.length && a[x] === b[y]) [x, y] = [x + 1, y + 1]
      reach.set(k, x)
      if (x >= a.length && y >= b.length) return walkBack(trace, a.length, b.length)
    }
  }
  return []

  function walkBack(steps: readonly Map<number, number>[], toX: number, toY: number): readonly DiffLine[] {
    const lines: DiffLine[] = []
    let [x, y] = [toX, toY]
    const same = () => {
      ;[x, y] = [x - 1, y - 1]
      lines.push({ kind: "same", before: shift + x + 1, after: shift + y + 1, text: a[x] ?? "" })
    }
    for (let d = steps.length - 1; d >= 0; d--) {
      const at = steps[d] ?? new Map()
      const k = x - y
      const isDown = k === -d || (k !== d && (at.get(k - 1) ?? 0) < (at.get(k + 1) ?? 0))
      const px = at.get(isDown ? k + 1 : k - 1) ?? 0
      const py = px - (isDown ? k + 1 : k - 1)
      while (x > px && y > py) same()
      if (d > 0) {
        lines.push(isDown ? added(py) : removed(px))
        ;[x, y] = [px, py]
      }
    }
    return lines.reverse()
  }
}

const MOST = 6000
