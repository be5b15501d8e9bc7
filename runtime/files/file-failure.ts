import type { Failure, FailureOptions, FailureReason } from "../../core/contract/index.ts"

/** A failure to do something with a file: `Cannot <action> "<path>": <what was seen>`. */
export function fileFailure(action: string, path: string, error: unknown): Failure {
  if (isFailure(error)) return error
  // Errors of node:fs and node:zlib carry a code; Deno's refusals only a name.
  const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown }
  const key = typeof code === "string" ? code : String(name)
  const [reason, seen, hint] = known[key] ?? guessed(key, String(message ?? error))
  return makeFileFailure(reason, `Cannot ${action} "${path}": ${seen}`, {
    cause: error,
    ...(hint !== undefined && { hint }),
    ...(typeof code === "string" && { code }),
  })
}

/** Does something with a file; what goes wrong names it. */
export async function guard<A>(action: string, path: string, work: () => Promise<A>): Promise<A> {
  try {
    return await work()
  } catch (error) {
    throw fileFailure(action, path, error)
  }
}

export function makeFileFailure(reason: FailureReason, message: string, options: FailureOptions = {}): Failure {
  const { cause, ...rest } = options
  return Object.assign(new Error(message, { cause }), { reason, ...rest })
}

const known: Record<string, readonly [FailureReason, string, string?]> = {
  ENOENT: ["missing", "no such file or folder", "Check the path; relative paths start at the run's folder"],
  EACCES: ["permission", "the system denies access", "Give the user that runs Headrace access to it"],
  EPERM: ["permission", "the system denies access", "Give the user that runs Headrace access to it"],
  EROFS: ["permission", "the file system is read-only"],
  PermissionDenied: ["permission", "the sandbox denies access", "Name the path in the flow"],
  NotCapable: ["permission", "the sandbox denies access", "Name the path in the flow"],
  EISDIR: ["config", "it is a folder", 'Name a file, or add "/*" for the files in it'],
  ENOTDIR: ["config", "a part of the path is not a folder"],
  ENAMETOOLONG: ["config", "the name is too long"],
  ELOOP: ["config", "its symbolic links form a circle"],
  EEXIST: ["exists", "it exists already"],
  ENOSPC: ["resource", "no space is left on the device", "Free some space"],
  EDQUOT: ["resource", "the disk quota is used up", "Free some space"],
  EFBIG: ["resource", "the file is larger than the system allows"],
  EMFILE: ["resource", "too many files are open"],
  ENFILE: ["resource", "too many files are open"],
  ENOMEM: ["resource", "out of memory"],
  EBUSY: ["conflict", "another process uses it"],
  ETXTBSY: ["conflict", "another process uses it"],
  Z_BUF_ERROR: ["data", "the archive is cut off", "Fetch the file again"],
}

function guessed(key: string, message: string): readonly [FailureReason, string, string?] {
  if (key.startsWith("Z_") || /zstd/i.test(`${key} ${message}`)) {
    return ["data", `the archive is damaged (${message})`, "Fetch the file again"]
  }
  return ["unknown", message]
}

function isFailure(error: unknown): error is Failure {
  return error instanceof Error && "reason" in error
}
