import { useDeferredValue, useMemo } from "react"
import { Notice } from "../../../parts/notice.tsx"
import { Empty } from "../../../parts/page.tsx"
import { ScrollBox } from "../../../parts/scroll-box.tsx"
import { type GraphEdge, layoutGraph, NODE } from "./layout.ts"
import { readGraph } from "./read-graph.ts"

/** The document as a picture. Choosing a step shows it in the script. */
export function GraphView({
  document,
  kinds,
  badSteps,
  choose,
}: {
  readonly document: string
  /** Kind of a component by its id. */
  readonly kinds: ReadonlyMap<string, string>
  readonly badSteps: ReadonlySet<string>
  choose(pointer: string): void
}) {
  const text = useDeferredValue(document)
  const graph = useMemo(() => readGraph(text), [text])
  const layout = useMemo(
    () =>
      graph &&
      layoutGraph(
        graph.steps.map(({ id }) => id),
        graph.hops,
      ),
    [graph],
  )
  if (!graph || !layout)
    return (
      <Notice tone="warn" title="The script is not JSON just now">
        The graph comes back as soon as it can be read.
      </Notice>
    )
  if (graph.steps.length === 0)
    return <Empty title="No steps yet">A flow begins with a step that reads, such as postgres-input.</Empty>
  const steps = new Map(graph.steps.map((step) => [step.id, step]))
  return (
    <ScrollBox className="graph" label="Graph of the flow">
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: the region has a name, and each step one of its own */}
      <svg
        width={layout.width + 4}
        height={layout.height + 4}
        viewBox={`-2 -2 ${layout.width + 4} ${layout.height + 4}`}
      >
        {layout.edges.map((edge, nth) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two hops may be the same
          <Edge key={nth} edge={edge} />
        ))}
        {layout.nodes.map(({ id, x, y }) => {
          const step = steps.get(id)
          const go = () => choose(`/steps/${step?.nth ?? 0}`)
          return (
            // biome-ignore lint/a11y/useSemanticElements: there are no buttons inside of SVG
            <g
              key={id}
              role="button"
              tabIndex={0}
              className={`node ${kinds.get(step?.use ?? "") ?? ""} ${badSteps.has(id) ? "bad" : ""}`}
              transform={`translate(${x} ${y})`}
              onClick={go}
              onKeyDown={(event) => event.key === "Enter" && go()}
            >
              <rect width={NODE.width} height={NODE.height} rx="6" />
              <rect className="stripe" x="7" y="9" width="3" height={NODE.height - 18} rx="1.5" />
              <text className="node-name" x="18" y="20">
                {fit(id, 20)}
              </text>
              <text className="node-use" x="18" y="36">
                {fit(step?.use ?? "", 25)}
              </text>
              <title>{`${id}: ${step?.use}`}</title>
            </g>
          )
        })}
      </svg>
    </ScrollBox>
  )
}

function Edge({ edge: { points, send } }: { readonly edge: GraphEdge }) {
  const [first = [0, 0], ...rest] = points
  let [px, py] = first
  const path = rest.map(([x, y]) => {
    const half = (y - py) / 2
    const part = `C${px} ${py + half} ${x} ${y - half} ${x} ${y}`
    ;[px, py] = [x, y]
    return part
  })
  const [endX, endY] = [px, py]
  const next = rest[0] ?? first
  return (
    <g>
      <path className="hop" d={`M${first[0]} ${first[1]}${path.join("")}`} />
      <path className="hop-head" d={`M${endX} ${endY}l-4 -7h8z`} />
      {send !== "" && (
        <text className="hop-send" x={(first[0] + next[0]) / 2 + 6} y={(first[1] + next[1]) / 2 + 4}>
          {send}
        </text>
      )}
    </g>
  )
}

function fit(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
