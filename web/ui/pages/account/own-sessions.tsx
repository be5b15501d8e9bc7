import { ask } from "../../api/client.ts"
import { useRead, useRefresh } from "../../api/query.ts"
import { Button } from "../../parts/button.tsx"
import { ProblemNotice } from "../../parts/notice.tsx"
import { Panel } from "../../parts/page.tsx"
import { useSubmit } from "../../parts/submit.ts"
import { Table } from "../../parts/table.tsx"
import { Time } from "../../parts/time.tsx"

/** Where one is signed in. */
export function OwnSessions() {
  const refresh = useRefresh()
  const sessions = useRead("GET /me/sessions", {})
  const { busy, problem, submit } = useSubmit(async (id: string) => {
    await ask("DELETE /me/sessions/:id", { params: { id } })
    await refresh("/me/sessions")
  })
  const current = sessions.data?.current
  return (
    <Panel flush title="Where you are signed in">
      <ProblemNotice problem={problem} />
      <Table
        label="Sessions"
        rows={sessions.data?.items}
        keyOf={({ id }) => id}
        columns={[
          {
            label: "Browser",
            cell: ({ id, agent }) => (
              <>
                <span className="wrap">{agentText(agent)}</span>{" "}
                {id === current && <span className="tag">this one</span>}
              </>
            ),
          },
          { label: "Address", cell: ({ address }) => <span className="mono">{address}</span> },
          { label: "Since", cell: ({ createdAt }) => <Time at={createdAt} relative /> },
          { label: "Last seen", cell: ({ seenAt }) => <Time at={seenAt} relative /> },
          {
            ...{ label: "Actions", quiet: true, end: true },
            cell: ({ id }) =>
              id !== current && (
                <Button look="plain" disabled={busy} onClick={() => void submit(id)}>
                  End it
                </Button>
              ),
          },
        ]}
      />
    </Panel>
  )
}

/** As much of a browser's long name as tells it from others. */
function agentText(agent: string): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\/(\d+)/.exec(agent)
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(agent)?.[1]
  if (!browser) return agent.slice(0, 60) || "Unknown"
  return [`${browser[1]} ${browser[2]}`, system].filter(Boolean).join(", ")
}
