import { ButtonLink } from "../../parts/button.tsx"
import { Icon } from "../../parts/icon.tsx"
import { Panel } from "../../parts/page.tsx"
import { useMay } from "../../shell/session.tsx"

/** From an empty server to rows that move. */
export function FirstSteps({ hasSource }: { readonly hasSource: boolean }) {
  const may = useMay()
  return (
    <Panel title="Start here">
      <ol className="steps">
        <li>
          <Step done={hasSource} nth={1} />
          <div className="grow">
            <h3>Name your systems</h3>
            <p className="muted">
              A data source is a database with its address and account. Flows call it by name and never hold a password.
            </p>
          </div>
          {may("sources.write") && (
            <ButtonLink to="/new-source" {...(!hasSource && { look: "primary" as const })}>
              Add a data source
            </ButtonLink>
          )}
        </li>
        <li>
          <Step done={false} nth={2} />
          <div className="grow">
            <h3>Write a flow</h3>
            <p className="muted">It says what to read, what to do with the rows, and where to write them.</p>
          </div>
          {may("flows.write") && (
            <ButtonLink to="/new-flow" {...(hasSource && { look: "primary" as const })}>
              Make a flow
            </ButtonLink>
          )}
        </li>
        <li>
          <Step done={false} nth={3} />
          <div className="grow">
            <h3>Run it, then let it run</h3>
            <p className="muted">By hand, by a schedule, or by an HTTP request of another program.</p>
          </div>
          <ButtonLink to="/docs" look="plain">
            Read how
          </ButtonLink>
        </li>
      </ol>
    </Panel>
  )
}

function Step({ done, nth }: { readonly done: boolean; readonly nth: number }) {
  return <span className={`step-mark ${done ? "done" : ""}`}>{done ? <Icon name="check" /> : nth}</span>
}
