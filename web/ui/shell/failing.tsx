import { Component, type ReactNode } from "react"
import { Button } from "../parts/button.tsx"
import { Notice } from "../parts/notice.tsx"

/** Where a page breaks, the rest stays. */
export class Failing extends Component<{ readonly children: ReactNode }, { readonly error?: Error }> {
  override state: { readonly error?: Error } = {}

  static getDerivedStateFromError(error: unknown): { readonly error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children
    // After an update of the server, parts of the old pages are gone.
    return (
      <Notice
        tone="bad"
        title="This page cannot be shown"
        action={<Button onClick={() => location.reload()}>Load it again</Button>}
      >
        {this.state.error.message}
      </Notice>
    )
  }
}
