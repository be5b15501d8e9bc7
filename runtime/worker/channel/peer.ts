import { Effect, Queue, Schema } from "effect"
import type { RpcSerialization } from "effect/rpc"
import { RpcClient, type RpcMessage, RpcServer } from "effect/rpc"
import { RpcClientDefect, RpcClientError } from "effect/rpc/RpcClientError"

type FromClient = RpcMessage.FromClientEncoded
type FromServer = RpcMessage.FromServerEncoded

/** What goes over a channel: both ends ask, and both answer. */
export type Message = FromClient | FromServer

/** One end of a channel over which both sides call each other. */
export interface Peer {
  readonly client: RpcClient.Protocol["Service"]
  readonly server: RpcServer.Protocol["Service"]
  /** Takes what the other end has sent, in order. */
  receive(message: Message): Effect.Effect<void>
  /** The other end is gone: whatever waits for an answer fails. */
  readonly lost: Effect.Effect<void>
}

/** Questions and answers are told from each other by their tags, so that one stream of messages carries both. */
export const makePeer = Effect.fnUntraced(function* (send: (message: Message) => Effect.Effect<void>) {
  let toServer!: (clientId: number, message: FromClient) => Effect.Effect<void>
  let toClient!: (clientId: number, message: FromServer) => Effect.Effect<void>
  let clients: ReadonlySet<number> = new Set()
  const codecFor = Schema.toCodecJson as RpcSerialization.CodecFor
  const disconnects = yield* Queue.make<number>()
  const server = yield* RpcServer.Protocol.make((write) => {
    toServer = write
    return Effect.succeed({
      disconnects,
      send: (_: number, message: FromServer) => send(message),
      end: () => Effect.void,
      clientIds: Effect.succeed(new Set([0])),
      initialMessage: Effect.succeedNone,
      supportsAck: true,
      supportsTransferables: false,
      supportsSpanPropagation: false,
      supportsNotifications: false,
      codecFor,
    })
  })
  const client = yield* RpcClient.Protocol.make((write, ids) => {
    toClient = write
    clients = ids
    return Effect.succeed({
      send: (_: number, message: FromClient) => send(message),
      supportsAck: true,
      supportsTransferables: false,
      codecFor,
    })
  })
  const answered = (message: FromServer) => Effect.forEach(clients, (id) => toClient(id, message), { discard: true })
  return {
    client,
    server,
    receive: (message) => (isQuestion(message) ? toServer(0, message) : answered(message)),
    lost: answered({
      _tag: "ClientProtocolError",
      error: new RpcClientError({
        reason: new RpcClientDefect({ message: "The other end is gone", cause: undefined }),
      }),
    }),
  } satisfies Peer
})

function isQuestion(message: Message): message is FromClient {
  return QUESTIONS.has(message._tag)
}

const QUESTIONS: ReadonlySet<string> = new Set<FromClient["_tag"]>(["Request", "Ack", "Interrupt", "Ping", "Eof"])
