import { Dialog } from "../../parts/dialog.tsx"
import { toast } from "../../parts/toast.tsx"
import { useMe, useSession } from "../../shell/session.tsx"
import { SignInForm } from "./sign-in-form.tsx"

/** A session ends at the wrong moment: whoever was writing signs in over the page, and nothing of it is lost. */
export function SignInAgain() {
  const user = useMe()
  const { end } = useSession()
  return (
    <Dialog title="Your session has ended" close={() => void end().catch(() => location.assign("/"))}>
      <p className="muted">Sign in again to go on. What you were writing is still there.</p>
      <SignInForm name={user.name} done={() => toast("You are signed in again. Repeat what you did last.")} />
    </Dialog>
  )
}
