import { compactText, durationText, numberText } from "../../parts/number-text.ts"
import { rates, type Sample } from "./live-run.ts"

/** Rows per second over time, read and written. */
export function ThroughputPlot({ samples, isOpen }: { readonly samples: readonly Sample[]; readonly isOpen: boolean }) {
  const read = rates(samples, "read")
  const written = rates(samples, "written")
  const first = samples[0]?.at ?? 0
  const last = samples.at(-1)?.at ?? first
  const most = niceCeiling(Math.max(1, ...read.map(({ rate }) => rate), ...written.map(({ rate }) => rate)))
  const x = (at: number) => (last === first ? 0 : ((at - first) / (last - first)) * WIDTH)
  const y = (rate: number) => HEIGHT - (rate / most) * HEIGHT
  const line = (points: typeof read) =>
    points.map(({ at, rate }) => `${x(at).toFixed(1)},${y(rate).toFixed(1)}`).join(" ")
  // While it goes on, what it does now; afterwards, what it did on the whole.
  const pace = isOpen ? (read.at(-1)?.rate ?? 0) : ((samples.at(-1)?.read ?? 0) * 1000) / Math.max(1, last - first)
  const said = `${numberText(Math.round(pace))} rows/s read ${isOpen ? "now" : "on average"}`
  return (
    <figure className="plot">
      <figcaption className="row small">
        <span className="key read">Read</span>
        <span className="key written">Written</span>
        <span className="muted number plot-now">{said}</span>
      </figcaption>
      <div className="plot-area">
        <span className="plot-most faint number">{compactText(most)}/s</span>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`Throughput: ${said}`}
        >
          <line className="plot-grid" x1="0" x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} />
          <line className="plot-grid" x1="0" x2={WIDTH} y1="0.5" y2="0.5" />
          {read.length > 0 && (
            <polygon
              className="plot-fill"
              points={`${x(read[0]?.at ?? 0)},${HEIGHT} ${line(read)} ${x(last)},${HEIGHT}`}
            />
          )}
          <polyline className="plot-line written" points={line(written)} />
          <polyline className="plot-line read" points={line(read)} />
        </svg>
      </div>
      <div className="row small faint plot-axis">
        <span>0</span>
        <span className="number">{durationText(last - first)}</span>
      </div>
    </figure>
  )
}

/** 1, 2 or 5 times a power of ten. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power
}

const WIDTH = 600
const HEIGHT = 120
