import { useEffect, useState } from "react"

/** The secret of a one-time link. It stands behind the `#`, is sent to nobody but in the form, and leaves the address at once. */
export function useLinkSecret(): string {
  const [secret] = useState(() => location.hash.slice(1))
  useEffect(() => {
    if (location.hash !== "") history.replaceState(null, "", location.pathname)
  }, [])
  return secret
}
