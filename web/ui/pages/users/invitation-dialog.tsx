import { Button } from "../../parts/button.tsx"
import { Copy } from "../../parts/copy.tsx"
import { Dialog } from "../../parts/dialog.tsx"
import { Notice } from "../../parts/notice.tsx"
import { Time } from "../../parts/time.tsx"

export interface Invited {
  readonly name: string
  readonly path: string
  readonly expiresAt: number
}

/** The link by which somebody chooses a password, the one time that it can be seen. */
export function InvitationDialog({
  invited: { name, path, expiresAt },
  close,
}: {
  readonly invited: Invited
  close(): void
}) {
  return (
    <Dialog title={`Link for ${name}`} close={close}>
      <Notice tone="warn" title="This is shown once only">
        Give it to {name} yourself: whoever opens it first chooses the password.
      </Notice>
      <Copy label="Link" text={`${location.origin}${path}`} />
      <p className="muted">
        It can be used once, until <Time at={expiresAt} />.
      </p>
      <div className="dialog-foot">
        <Button look="primary" onClick={close}>
          Done
        </Button>
      </div>
    </Dialog>
  )
}
