import { useRead } from "../../api/query.ts"
import { Copy } from "../../parts/copy.tsx"
import { FailureNotice } from "../../parts/notice.tsx"
import { Skeleton } from "../../parts/page.tsx"

/** The document of a run that was not saved as a flow. */
export function RunDocument({ run }: { readonly run: string }) {
  const flow = useRead("GET /runs/:id/flow", { params: { id: run } })
  if (flow.error && !flow.data) return <FailureNotice cause={flow.error} />
  if (!flow.data) return <Skeleton lines={6} />
  return <Copy text={laidOut(flow.data.document)} />
}

/** Documents that a command has made are one line. */
function laidOut(document: string): string {
  if (document.includes("\n")) return document
  try {
    return JSON.stringify(JSON.parse(document), null, 2)
  } catch {
    return document
  }
}
