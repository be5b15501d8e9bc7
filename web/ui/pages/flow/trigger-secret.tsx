import type { NewTrigger } from "../../../../core/server/triggers/triggers.ts"
import { Button } from "../../parts/button.tsx"
import { Copy } from "../../parts/copy.tsx"
import { Dialog } from "../../parts/dialog.tsx"
import { Notice } from "../../parts/notice.tsx"
import { curlText } from "./curl-text.ts"

/** A token, the one time that it can be seen, with a request that uses it. */
export function TriggerSecret({ made, close }: { readonly made: NewTrigger; close(): void }) {
  const { trigger, token, signingSecret } = made
  return (
    <Dialog title={`Token of ${trigger.name}`} className="wide" close={close}>
      <Notice tone="warn" title="This is shown once only">
        Keep it where your program finds it. Headrace keeps no copy, and can only make another one.
      </Notice>
      <Copy label="Token" text={token} />
      {signingSecret !== null && (
        <>
          <h3>Secret that signs requests</h3>
          <Copy label="Signing secret" text={signingSecret} />
        </>
      )}
      <h3>Start the flow</h3>
      <Copy label="Example with curl" text={curlText(location.origin, trigger.flow, token, signingSecret)} />
      <div className="dialog-foot">
        <Button look="primary" onClick={close}>
          I have kept it
        </Button>
      </div>
    </Dialog>
  )
}
