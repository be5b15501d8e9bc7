import { useEffect } from "react"
import { useRead } from "../../api/query.ts"
import { Mark } from "../../parts/icon.tsx"
import { Notice } from "../../parts/notice.tsx"
import { SignInForm } from "./sign-in-form.tsx"

export default function SignInPage() {
  const setup = useRead("GET /setup", {})
  useEffect(() => {
    document.title = "Sign in · Headrace"
  }, [])
  return (
    <main className="gate">
      <div className="brand">
        <Mark size={26} />
        Headrace
      </div>
      <h1>Sign in</h1>
      <p className="lead">to run and watch the flows of this server.</p>
      {setup.data?.needed && (
        <Notice tone="warn" title="Nobody can sign in yet">
          Make the first administrator: open the link that the server printed when it started. Started again, it prints
          a new one.
        </Notice>
      )}
      <SignInForm />
    </main>
  )
}
