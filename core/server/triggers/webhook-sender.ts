import { Context, Data, type Effect } from "effect"
import type { HostPolicy } from "../sources/host-policy.ts"

export interface Message {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly timeoutMs: number
  /** Rules of `core/server/sources/host-policy.ts`: what it may not go to, and what that is not public it may. */
  readonly policy: HostPolicy
}

/** The message did not arrive, or nobody knows whether it did. */
export class SendError extends Data.TaggedError("SendError")<{ readonly message: string }> {}

/**
 * Sends messages to addresses that users have chosen. The name is looked up once, every address is judged, and the
 * connection goes to one that was: a name that means another address a moment later gains nothing. Redirects are answers.
 */
export class WebhookSender extends Context.Service<
  WebhookSender,
  {
    /** Resolves to the status and the beginning of the answer. */
    post(message: Message): Effect.Effect<{ readonly status: number; readonly text: string }, SendError>
  }
>()("core/server/triggers/WebhookSender") {}
