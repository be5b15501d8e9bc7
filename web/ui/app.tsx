import { lazy, type ReactNode, Suspense } from "react"
import { SignInAgain } from "./pages/gate/sign-in-again.tsx"
import { Button } from "./parts/button.tsx"
import { FailureNotice } from "./parts/notice.tsx"
import { usePath } from "./route/router.tsx"
import { Failing } from "./shell/failing.tsx"
import { useSession } from "./shell/session.tsx"
import { Shell } from "./shell/shell.tsx"

const SetupPage = lazy(() => import("./pages/gate/setup-page.tsx"))
const InvitationPage = lazy(() => import("./pages/gate/invitation-page.tsx"))
const SignInPage = lazy(() => import("./pages/gate/sign-in-page.tsx"))

/** Pages for those who are signed in, a door for all others. */
export function App() {
  const path = usePath()
  const { session, failure, isLost, reload } = useSession()
  if (path === "/setup") return <Door page={<SetupPage />} />
  if (path === "/invitation") return <Door page={<InvitationPage />} />
  if (failure !== undefined && session === undefined) {
    const again = <Button onClick={() => void reload()}>Try again</Button>
    return (
      <main className="gate">
        <FailureNotice cause={failure} action={again} />
      </main>
    )
  }
  if (session === undefined) return null
  if (session === null) return <Door page={<SignInPage />} />
  return (
    <>
      <Shell />
      {isLost && <SignInAgain />}
    </>
  )
}

function Door({ page }: { readonly page: ReactNode }) {
  return (
    <Failing>
      <Suspense>{page}</Suspense>
    </Failing>
  )
}
