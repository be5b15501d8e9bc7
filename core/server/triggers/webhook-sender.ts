import { Context, Data, type Effect } from "effect"

export interface Message {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly timeoutMs: number
  /** Whether it may go to addresses of this machine and of private networks. */
  readonly allowPrivate: boolean
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
