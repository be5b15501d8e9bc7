import { useEffect, useRef, useState } from "react"
import type { LogLine } from "../../../../core/server/jobs/dispatcher.ts"
import { urlOf } from "../../api/client.ts"
import { Button } from "../../parts/button.tsx"
import { Choices } from "../../parts/choices.tsx"
import { Empty } from "../../parts/page.tsx"

/** What a run says. It follows new lines while one looks at the end of it. */
export function RunLog({
  run,
  lines,
  isLive,
}: {
  readonly run: string
  readonly lines: readonly LogLine[]
  readonly isLive: boolean
}) {
  const [least, setLeast] = useState<LogLine["level"]>("info")
  const [follows, setFollows] = useState(true)
  const box = useRef<HTMLDivElement>(null)
  const shown = lines.filter(({ level }) => LEVELS.indexOf(level) >= LEVELS.indexOf(least))
  const count = shown.length
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever there are other lines
  useEffect(() => {
    if (follows && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [count, follows])
  const scrolled = () => {
    const element = box.current
    if (element) setFollows(element.scrollHeight - element.scrollTop - element.clientHeight < 24)
  }
  return (
    <>
      <div className="log-bar">
        <Choices
          quiet
          label="Least level"
          options={LEVELS.map((level) => [level, LEVEL_NAMES[level]])}
          value={[least]}
          change={([level]) => setLeast(LEVELS.find((one) => one === level) ?? "info")}
        />
        <div className="row">
          {isLive && !follows && (
            <Button look="plain" icon="down" onClick={() => setFollows(true)}>
              Follow
            </Button>
          )}
          <a className="button plain" href={urlOf(`/runs/${run}/log.txt`)} download>
            Download
          </a>
        </div>
      </div>
      <div
        ref={box}
        className="log"
        role="log"
        aria-label="Log of the run"
        aria-live="off"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: otherwise nobody could scroll it without a mouse
        tabIndex={0}
        onScroll={scrolled}
      >
        {shown.length === 0 && (
          <Empty title="No line yet">
            {isLive ? "The run has said nothing so far." : "This run has left no line of this level."}
          </Empty>
        )}
        {shown.map(({ line, at, level, step, text }) => (
          <div key={line} className={`log-line ${level}`}>
            <time dateTime={new Date(at).toISOString()} title={new Date(at).toISOString()}>
              {clock.format(at)}
            </time>
            <span className="log-level">{level}</span>
            <span className="log-text">
              {step !== null && <b>{step} </b>}
              {text}
            </span>
          </div>
        ))}
      </div>
    </>
  )
}

const LEVELS = ["debug", "info", "warn", "error"] as const
const LEVEL_NAMES = { debug: "All", info: "Info", warn: "Warnings", error: "Errors" } as const
const clock = new Intl.DateTimeFormat("en-GB", {
  ...{ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" },
})
