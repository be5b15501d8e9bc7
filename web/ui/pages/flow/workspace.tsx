import { useMemo, useState } from "react"
import type { SavedFlow } from "../../../../core/server/flows/flow-library.ts"
import { useRead } from "../../api/query.ts"
import type { useDraft } from "../../parts/draft.ts"
import { Tabs } from "../../parts/tabs.tsx"
import { useMay } from "../../shell/session.tsx"
import type { Schema } from "./editor/schema-walk.ts"
import ScriptEditor from "./editor/script-editor.tsx"
import type { ScriptDraft } from "./flow-page.tsx"
import { GraphView } from "./graph/graph-view.tsx"
import { ParametersPanel } from "./parameters-panel.tsx"
import { PlanPanel } from "./plan-panel.tsx"
import { PreviewPanel } from "./preview-panel.tsx"
import { ProblemList } from "./problem-list.tsx"
import type { Occasion } from "./question-bar.tsx"
import { SaveBar } from "./save-bar.tsx"
import { useCheck } from "./use-check.ts"

/** Script on one side, and beside it whatever one wants to see of it. */
export default function Workspace({
  flow,
  draft,
  occasion,
  setOccasion,
  run,
}: {
  readonly flow: SavedFlow
  readonly draft: ReturnType<typeof useDraft<ScriptDraft>>
  readonly occasion: Occasion
  setOccasion(occasion: Occasion): void
  readonly run: (() => void) | undefined
}) {
  const may = useMay()
  const canWrite = may("flows.write")
  const { document } = draft.value
  const [tab, setTab] = useState("graph")
  const [show, setShow] = useState<{ readonly pointer: string }>()
  const [save, setSave] = useState<(() => void) | undefined>()
  const checked = useCheck(document, occasion.environment, true)
  const schema = useRead("GET /flow-schema", {})
  const components = useRead("GET /components", {})
  const sources = useRead("GET /sources", {})
  const names = useMemo(
    () => ({
      components: components.data?.items ?? [],
      sources: sources.data?.items ?? [],
    }),
    [components.data, sources.data],
  )
  const kinds = useMemo(() => new Map(names.components.map(({ id, kind }) => [id, kind])), [names])
  const badSteps = useMemo(() => new Set(checked.problems.flatMap(({ step }) => step ?? [])), [checked.problems])
  const choose = (pointer: string) => setShow({ pointer })
  const change = (text: string) => {
    if (text === flow.document) draft.discard()
    else if (text !== document)
      draft.change({ document: text, base: draft.isChanged ? draft.value.base : flow.version })
  }
  const count = checked.problems.length + checked.warnings.length
  return (
    <div className="workspace">
      <section className="panel" aria-label="Script">
        {canWrite && <SaveBar flow={flow} draft={draft} setSave={setSave} />}
        <ScriptEditor
          value={document}
          change={change}
          // The server's own schema.
          schema={schema.data as Schema | undefined}
          names={names}
          problems={checked.problems}
          warnings={checked.warnings}
          readOnly={!canWrite}
          show={show}
          {...(save && { save })}
          {...(run && { run })}
        />
        <div className="editor-foot" role="status">
          <span>{stateText(checked.state, checked.problems.length, checked.warnings.length)}</span>
        </div>
      </section>
      <section className="panel aside" aria-label="About the script">
        <Tabs
          label="About the script"
          current={tab}
          change={setTab}
          tabs={[
            { id: "graph", text: "Graph" },
            { id: "problems", text: "Problems", count, isBad: checked.problems.length > 0 },
            { id: "parameters", text: "Parameters" },
            { id: "plan", text: "Plan" },
            { id: "preview", text: "Preview" },
          ]}
        >
          <div className="aside-body">
            {tab === "graph" && <GraphView document={document} kinds={kinds} badSteps={badSteps} choose={choose} />}
            {tab === "problems" && <ProblemList checked={checked} choose={choose} />}
            {tab === "parameters" && <ParametersPanel document={document} occasion={occasion} change={setOccasion} />}
            {tab === "plan" && <PlanPanel document={document} occasion={occasion} change={setOccasion} />}
            {tab === "preview" && <PreviewPanel document={document} occasion={occasion} change={setOccasion} />}
          </div>
        </Tabs>
      </section>
    </div>
  )
}

function stateText(state: "checking" | "checked" | "failed", problems: number, warnings: number): string {
  if (state === "checking") return "Checking…"
  if (state === "failed") return "The check could not be done"
  if (problems > 0)
    return problems === 1 ? "1 problem keeps it from running" : `${problems} problems keep it from running`
  return warnings > 0 ? "Checked, with warnings" : "Checked: it can run"
}
