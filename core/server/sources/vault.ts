import { Context, type Effect } from "effect"
import type { RequestError } from "../request-error.ts"

/**
 * Seals secrets before they go to the store: AES-256-GCM under a master key that is never in the store. Sealed text names
 * its key, so that keys can be changed while both are known. `place` binds it to where it stands: moved elsewhere, it
 * cannot be opened.
 */
export class Vault extends Context.Service<
  Vault,
  {
    seal(secret: string, place: string): Effect.Effect<string>
    /** Fails with `unavailable` where its key is not known any more, or where the text was tampered with. */
    open(sealed: string, place: string): Effect.Effect<string, RequestError>
    isSealed(text: string): boolean
    /** True for text under another key than the one that seals now. */
    isOld(sealed: string): boolean
  }
>()("core/server/sources/Vault") {}
