import { Context, type Effect } from "effect"
import type { RequestError } from "../request-error.ts"

/**
 * Keeps passwords so that they cannot be read back: argon2id, in PHC format. It is slow on purpose, so only a few are
 * worked on at once, and whoever comes when many wait already is refused with `unavailable`.
 */
export class PasswordHashing extends Context.Service<
  PasswordHashing,
  {
    hash(password: string): Effect.Effect<string, RequestError>
    verify(password: string, hash: string): Effect.Effect<boolean, RequestError>
    /** Whether it was made with other parameters than those of today. */
    isOld(hash: string): boolean
  }
>()("core/server/access/PasswordHashing") {}
