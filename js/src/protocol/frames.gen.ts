// Generated from protocol/frames by `python -m streamchat_relay.protocol.schema`.
// Do not edit: a test fails when this file and its source differ.

export const SUBPROTOCOL = "streamchat.v1";
export const MAX_FRAME_BYTES = 10485760;

/**
 * Terminal: somebody or something ended the run; what came stays.
 */
export interface Abort {
  readonly type: "abort";
  readonly run: string;
  readonly reason: "budget" | "server_lost" | "unwatched" | "user";
  readonly t: number;
}

/**
 * Everything up to `seq` was seen; widens the window.
 */
export interface Ack {
  readonly type: "ack";
  readonly conversation: string;
  readonly seq: number;
}

/**
 * A person allows the call in a part, or does not; `digest` is its approval request's.
 */
export interface Approve {
  readonly type: "approve";
  readonly id: string;
  readonly run: string;
  readonly part: string;
  readonly digest: string;
  readonly allow: boolean;
}

/**
 * Answers `approve`.
 */
export interface ApproveOk {
  readonly type: "ok";
  readonly id: string;
}

/**
 * A person allows the call whose name and arguments have this digest.
 */
export interface Approved {
  readonly type: "approved";
  readonly call: string;
  readonly digest: string;
}

/**
 * The tool that a `tool` frame calls runs only if a person allows it.
 */
export interface Asking {
  readonly type: "asking";
  readonly call: string;
}

/**
 * Where a list goes on: the `used` and the `id` of the last conversation that is known.
 */
export interface Before {
  readonly used: number;
  readonly id: string;
}

/**
 * The server is about to close; `error.retryable` says whether to come back.
 */
export interface Bye {
  readonly type: "bye";
  readonly error: ErrorInfo;
}

/**
 * Nobody waits for the answer to a `call` any more.
 */
export interface Cancel {
  readonly type: "cancel";
  readonly call: string;
}

/**
 * A conversation's whole state: what a `snapshot` carries and `reduce` folds events into.
 */
export interface Conversation {
  readonly messages: ReadonlyArray<Message>;
  readonly runs: Readonly<Record<string, RunRecord>>;
  readonly settings: Settings;
  readonly title: string;
}

/**
 * One conversation in a list.
 *
 * `title` is its own, else the first line of its first prompt, cut where it is long. `used` is
 * when something was last written to it, in seconds since 1970; `messages` counts those of all
 * branches, and `model` answered last. `answering` says that an answer is being written, and
 * `found` is where a search found its first word, unless that is the title.
 *
 */
export interface ConversationInfo {
  readonly id: string;
  readonly title?: string;
  readonly used: number;
  readonly messages?: number;
  readonly model?: string;
  readonly answering?: boolean;
  readonly found?: string;
}

/**
 * Hide a conversation at once, stop what is answered in it, and delete it for good later.
 */
export interface Delete {
  readonly type: "delete";
  readonly id: string;
  readonly conversation: string;
}

/**
 * Answers `delete`; for `restorable_s` seconds from the deletion it can be restored.
 */
export interface DeleteOk {
  readonly type: "ok";
  readonly id: string;
  readonly restorable_s: number;
}

/**
 * A conversation that this client opened is deleted; nothing more comes of it.
 *
 * While it is `restorable` a `restored` may follow.
 *
 */
export interface Deleted {
  readonly type: "deleted";
  readonly conversation: string;
  readonly restorable?: boolean;
}

/**
 * The answer to a `call` is complete, failed with `error`, or ended as `abort` says.
 */
export interface Done {
  readonly type: "done";
  readonly call: string;
  readonly error?: ErrorInfo | null;
  readonly finish_reason?: "content-filter" | "length" | "other" | "stop" | "tool-calls";
  readonly usage?: Usage | null;
  readonly abort?: "budget" | "server_lost" | "unwatched" | "user" | null;
}

/**
 * Terminal: the run failed; what came stays.
 */
export interface ErrorEvent {
  readonly type: "error";
  readonly run: string;
  readonly error: ErrorInfo;
  readonly t: number;
}

/**
 * An error as it travels and as it is kept in the log.
 *
 * `retry_after` is in seconds.
 *
 */
export interface ErrorInfo {
  readonly code: "bad_cursor" | "bad_request" | "budget_exhausted" | "conflict" | "content_filtered" | "context_length" | "forbidden" | "internal" | "model_unknown" | "not_found" | "provider_auth" | "provider_error" | "provider_overloaded" | "provider_rate_limited" | "rate_limited" | "stalled" | "timeout" | "too_large" | "truncated" | "unauthorized";
  readonly message: string;
  readonly retryable: boolean;
  readonly retry_after?: number | null;
}

/**
 * Contiguous events of one conversation: `to - from + 1 == len(events)`.
 */
export interface Events {
  readonly type: "events";
  readonly conversation: string;
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  readonly events: ReadonlyArray<MessageAdded | SettingsChanged | TitleChanged | Feedback | Start | Status | TextStart | TextDelta | TextEnd | ReasoningStart | ReasoningDelta | ReasoningEnd | ToolInputStart | ToolInputDelta | ToolInputAvailable | ToolApprovalRequest | ToolApprovalResponse | ToolOutputAvailable | ToolOutputError | File | SourceUrl | Finish | Abort | ErrorEvent>;
}

/**
 * A conversation as a file: Markdown, or JSON with a message a line.
 *
 * It is the branch that ends in the message `leaf`, else in the newest one.
 *
 */
export interface Export {
  readonly type: "export";
  readonly id: string;
  readonly conversation: string;
  readonly form: "jsonl" | "md";
  readonly leaf?: string | null;
}

/**
 * Answers `export` with a name for the file and what is in it.
 */
export interface ExportOk {
  readonly type: "ok";
  readonly id: string;
  readonly name: string;
  readonly text: string;
}

/**
 * A request failed, or (without `id`) a frame could not be taken.
 */
export interface Fail {
  readonly type: "fail";
  readonly error: ErrorInfo;
  readonly id?: string | null;
}

/**
 * A person thinks well of an answer, or not; `none` takes that back.
 */
export interface Feedback {
  readonly type: "feedback";
  readonly message: string;
  readonly value: "down" | "none" | "up";
  readonly t: number;
}

/**
 * The model made a file.
 */
export interface File {
  readonly type: "file";
  readonly run: string;
  readonly part: string;
  readonly url: string;
  readonly media_type: string;
  readonly t: number;
}

/**
 * A file by address: a `data:` URL or a blob of this server.
 *
 * `size` is that of a blob in bytes, as the relay found it; 0 where it is not known.
 *
 */
export interface FilePart {
  readonly type: "file";
  readonly url: string;
  readonly media_type: string;
  readonly name?: string;
  readonly size?: number;
  readonly id?: string;
  readonly open?: boolean;
}

/**
 * Terminal: the model ended by itself.
 */
export interface Finish {
  readonly type: "finish";
  readonly run: string;
  readonly finish_reason: "content-filter" | "length" | "other" | "stop" | "tool-calls";
  readonly raw_reason: string;
  readonly usage: Usage;
  readonly timing: Timing;
  readonly t: number;
}

/**
 * Must come first. `client` is name/version.
 */
export interface Hello {
  readonly type: "hello";
  readonly client: string;
}

/**
 * Follow a conversation no more; its runs go on.
 */
export interface Leave {
  readonly type: "leave";
  readonly id: string;
  readonly conversation: string;
}

/**
 * Answers `leave`.
 */
export interface LeaveOk {
  readonly type: "ok";
  readonly id: string;
}

/**
 * Bounds that a client should know, in bytes; no blobs where `max_blob_bytes` is 0.
 */
export interface Limits {
  readonly max_frame_bytes: number;
  readonly window_bytes: number;
  readonly join_bytes: number;
  readonly max_blob_bytes: number;
}

/**
 * Which conversations there are, the one used last first.
 *
 * With `search` those whose title, prompts and answers hold all of its words, whatever their
 * case and accents. The next change of what there is is told once, with `stale`.
 *
 */
export interface List {
  readonly type: "list";
  readonly id: string;
  readonly limit?: number;
  readonly before?: Before | null;
  readonly search?: string;
}

/**
 * Answers `list`; `more` says that there are older ones after the last of these.
 */
export interface ListOk {
  readonly type: "ok";
  readonly id: string;
  readonly conversations: ReadonlyArray<ConversationInfo>;
  readonly more: boolean;
}

/**
 * One message of the tree: `parent` is the id of the message it follows.
 *
 * `run` names the run that writes an assistant's message, or that a user's message asked for.
 *
 */
export interface Message {
  readonly id: string;
  readonly role: "assistant" | "system" | "tool" | "user";
  readonly parts: ReadonlyArray<TextPart | ReasoningPart | FilePart | SourcePart | ToolPart>;
  readonly parent: string | null;
  readonly run: string | null;
}

/**
 * A complete message joined the conversation.
 */
export interface MessageAdded {
  readonly type: "message";
  readonly message: Message;
  readonly t: number;
}

/**
 * A model as a person picks it. `id` is `provider/name`; names may hold slashes and colons.
 *
 * `capabilities` are words like `text`, `reasoning`, `image`; a client ignores those it does not
 * know, and where there are none they are not known. `context` is how many tokens it reads at
 * once, where its provider says so.
 *
 */
export interface ModelInfo {
  readonly id: string;
  readonly provider: string;
  readonly name: string;
  readonly capabilities?: ReadonlyArray<string>;
  readonly context?: number | null;
}

/**
 * Asks which models there are.
 */
export interface Models {
  readonly type: "models";
  readonly id: string;
}

/**
 * Answers `models`.
 */
export interface ModelsOk {
  readonly type: "ok";
  readonly id: string;
  readonly models: ReadonlyArray<ModelInfo>;
  readonly default: string;
  readonly problems: ReadonlyArray<ProviderProblem>;
}

/**
 * Run these tools for a conversation, for as long as this socket is open.
 *
 * It replaces what this client offered before for the same conversation. `runner` is the same
 * over all sockets of who runs them: a call that was begun is told again to nobody else.
 *
 */
export interface Offer {
  readonly type: "offer";
  readonly id: string;
  readonly conversation: string;
  readonly tools: ReadonlyArray<ToolSpec>;
  readonly runner?: string | null;
}

/**
 * Answers `offer`.
 */
export interface OfferOk {
  readonly type: "ok";
  readonly id: string;
}

/**
 * Follow a conversation, from after `after`; without it the state comes as a snapshot.
 */
export interface Open {
  readonly type: "open";
  readonly id: string;
  readonly conversation: string;
  readonly after?: number | null;
  readonly epoch?: string | null;
}

/**
 * Answers `open`; a `snapshot` or `events` follow.
 */
export interface OpenOk {
  readonly type: "ok";
  readonly id: string;
  readonly conversation: string;
  readonly epoch: string;
  readonly head: number;
}

/**
 * What a served model says, or thinks, or calls, or what came of a call.
 *
 * A `tool-call` has the `tool`'s name, an `id` and its arguments in `value`; a `tool-result`
 * that `id` and the output in `value`, or an `error`.
 *
 */
export interface Piece {
  readonly kind?: "reasoning" | "text" | "tool-call" | "tool-result";
  readonly delta?: string;
  readonly id?: string;
  readonly tool?: string;
  readonly value?: unknown;
  readonly error?: string;
}

/**
 * Are you there? Either side may ask.
 */
export interface Ping {
  readonly type: "ping";
  readonly t: number;
}

/**
 * I am; `t` is the ping's.
 */
export interface Pong {
  readonly type: "pong";
  readonly t: number;
}

/**
 * What a view of an open conversation says of its person: do they type, what have they seen.
 *
 * It is not answered, never in the log, and forgotten with the socket. Who types says so again
 * every few seconds. From now on the other views are told to this one, with `views`.
 *
 */
export interface Presence {
  readonly type: "presence";
  readonly conversation: string;
  readonly typing?: boolean;
  readonly seen?: number;
}

/**
 * What a person sends: text and files.
 */
export interface Prompt {
  readonly parts: ReadonlyArray<TextPart | FilePart>;
}

/**
 * Why a provider's models are missing, and what a person can do.
 */
export interface ProviderProblem {
  readonly provider: string;
  readonly message: string;
}

/**
 * A person thinks well of an answer, or not; `none` takes that back.
 */
export interface Rate {
  readonly type: "rate";
  readonly id: string;
  readonly conversation: string;
  readonly message: string;
  readonly value: "down" | "none" | "up";
}

/**
 * Answers `rate`.
 */
export interface RateOk {
  readonly type: "ok";
  readonly id: string;
}

/**
 * Text joins its reasoning part.
 */
export interface ReasoningDelta {
  readonly type: "reasoning-delta";
  readonly run: string;
  readonly part: string;
  readonly delta: string;
  readonly t: number;
}

/**
 * A reasoning part is complete.
 */
export interface ReasoningEnd {
  readonly type: "reasoning-end";
  readonly run: string;
  readonly part: string;
  readonly provider_metadata?: Readonly<Record<string, unknown>> | null;
  readonly t: number;
}

/**
 * What a reasoning model thought before it answered.
 *
 * `provider_metadata` is what its provider wants to see again when the answer goes on. It thought
 * from `started_t` to `ended_t`, in milliseconds after the run was accepted.
 *
 */
export interface ReasoningPart {
  readonly type: "reasoning";
  readonly text: string;
  readonly provider_metadata?: Readonly<Record<string, unknown>> | null;
  readonly started_t?: number | null;
  readonly ended_t?: number | null;
  readonly id?: string;
  readonly open?: boolean;
}

/**
 * A reasoning part opens.
 */
export interface ReasoningStart {
  readonly type: "reasoning-start";
  readonly run: string;
  readonly part: string;
  readonly t: number;
}

/**
 * Give a conversation a title; an empty one takes it away.
 */
export interface Rename {
  readonly type: "rename";
  readonly id: string;
  readonly conversation: string;
  readonly title: string;
}

/**
 * Answers `rename`; `title` is what it is called now.
 */
export interface RenameOk {
  readonly type: "ok";
  readonly id: string;
  readonly title: string;
}

/**
 * Take a deletion back, while that can be done.
 */
export interface Restore {
  readonly type: "restore";
  readonly id: string;
  readonly conversation: string;
}

/**
 * Answers `restore`.
 */
export interface RestoreOk {
  readonly type: "ok";
  readonly id: string;
}

/**
 * A conversation is there again; to see it, open it.
 */
export interface Restored {
  readonly type: "restored";
  readonly conversation: string;
}

/**
 * What came of a `tool` frame's call: its output, or an `error` for the model to read.
 */
export interface Returned {
  readonly type: "returned";
  readonly call: string;
  readonly output?: unknown;
  readonly error?: string;
}

/**
 * One run as the conversation remembers it.
 *
 * `first_t` is when its first delta came and `ended_t` when it ended, in milliseconds after it
 * was accepted. `left_out` of the oldest messages were not told to the model.
 *
 */
export interface RunRecord {
  readonly id: string;
  readonly message: string;
  readonly model: string;
  readonly provider: string;
  readonly state?: "done" | "error" | "interrupted" | "queued" | "retrying" | "running" | "stopping";
  readonly position?: number | null;
  readonly retry_after?: number | null;
  readonly left_out?: number | null;
  readonly first_t?: number | null;
  readonly ended_t?: number | null;
  readonly finish_reason?: "content-filter" | "length" | "other" | "stop" | "tool-calls" | null;
  readonly raw_reason?: string | null;
  readonly usage?: Usage | null;
  readonly timing?: Timing | null;
  readonly abort_reason?: "budget" | "server_lost" | "unwatched" | "user" | null;
  readonly error?: ErrorInfo | null;
  readonly feedback?: "down" | "up" | null;
}

/**
 * What a served model says in answer to a `call`.
 */
export interface Said {
  readonly type: "said";
  readonly call: string;
  readonly pieces: ReadonlyArray<Piece>;
}

/**
 * Start a run: with `message` a new prompt, without it another answer to `parent`.
 */
export interface Send {
  readonly type: "send";
  readonly id: string;
  readonly conversation: string;
  readonly run: string;
  readonly model?: string;
  readonly message?: Prompt | null;
  readonly parent?: string | null;
  readonly params?: Readonly<Record<string, unknown>> | null;
}

/**
 * Answers `send`; `message` is the id of the message that the run writes.
 */
export interface SendOk {
  readonly type: "ok";
  readonly id: string;
  readonly run: string;
  readonly message: string;
  readonly duplicate: boolean;
}

/**
 * Answer for the model `kernel/<model>` from here on, for as long as this socket is open.
 */
export interface Serve {
  readonly type: "serve";
  readonly id: string;
  readonly model: string;
}

/**
 * Answers `serve`; `model` is what prompts name.
 */
export interface ServeOk {
  readonly type: "ok";
  readonly id: string;
  readonly model: string;
}

/**
 * A served model is asked; `said` and `done` answer.
 */
export interface ServedCall {
  readonly type: "call";
  readonly call: string;
  readonly model: string;
  readonly messages: ReadonlyArray<Message>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly tools?: ReadonlyArray<ToolSpec>;
}

/**
 * What the next `send` uses where it names nothing else.
 */
export interface Settings {
  readonly model: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * The next send uses these.
 */
export interface SettingsChanged {
  readonly type: "settings";
  readonly model?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly t: number;
}

/**
 * The whole conversation up to `seq`; replaces what the client has.
 */
export interface Snapshot {
  readonly type: "snapshot";
  readonly conversation: string;
  readonly epoch: string;
  readonly seq: number;
  readonly state: Conversation;
}

/**
 * A source that the model cites.
 */
export interface SourcePart {
  readonly type: "source";
  readonly url: string;
  readonly title?: string;
  readonly id?: string;
  readonly open?: boolean;
}

/**
 * The model cites a source.
 */
export interface SourceUrl {
  readonly type: "source-url";
  readonly run: string;
  readonly part: string;
  readonly url: string;
  readonly title?: string;
  readonly t: number;
}

/**
 * What `list` told last may have changed; nothing more is told until the next `list`.
 */
export interface Stale {
  readonly type: "stale";
}

/**
 * A run was accepted and will write `message`.
 */
export interface Start {
  readonly type: "start";
  readonly run: string;
  readonly message: StartedMessage;
  readonly model: string;
  readonly provider: string;
  readonly t: number;
}

/**
 * The message that a run is about to write.
 */
export interface StartedMessage {
  readonly id: string;
  readonly role: "assistant" | "system" | "tool" | "user";
  readonly parent: string | null;
}

/**
 * Where a run stands before its first token; `retry_after` in seconds.
 *
 * `left_out` messages, the oldest, are not told to the model: they do not fit its context.
 *
 */
export interface Status {
  readonly type: "status";
  readonly run: string;
  readonly state: "queued" | "retrying" | "running";
  readonly position?: number | null;
  readonly retry_after?: number | null;
  readonly left_out?: number | null;
  readonly t: number;
}

/**
 * End a run early.
 */
export interface Stop {
  readonly type: "stop";
  readonly id: string;
  readonly run: string;
}

/**
 * Answers `stop` with the run's state by now.
 */
export interface StopOk {
  readonly type: "ok";
  readonly id: string;
  readonly state: "done" | "error" | "interrupted" | "queued" | "retrying" | "running" | "stopping";
}

/**
 * Text joins its part.
 */
export interface TextDelta {
  readonly type: "text-delta";
  readonly run: string;
  readonly part: string;
  readonly delta: string;
  readonly t: number;
}

/**
 * A text part is complete.
 */
export interface TextEnd {
  readonly type: "text-end";
  readonly run: string;
  readonly part: string;
  readonly t: number;
}

/**
 * Markdown text.
 */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
  readonly id?: string;
  readonly open?: boolean;
}

/**
 * A text part opens.
 */
export interface TextStart {
  readonly type: "text-start";
  readonly run: string;
  readonly part: string;
  readonly t: number;
}

/**
 * Durations of one run: milliseconds from acceptance, output tokens per second.
 *
 * `ttft_ms` (time to first token) is absent when no token came; `output_per_s` counts from the
 * first token to the last and is absent when that span has no length.
 *
 */
export interface Timing {
  readonly total_ms: number;
  readonly ttft_ms?: number | null;
  readonly output_per_s?: number | null;
}

/**
 * The conversation has a (new) title.
 */
export interface TitleChanged {
  readonly type: "title";
  readonly title: string;
  readonly t: number;
}

/**
 * A person has to allow this call, or not; `digest` is what their answer names.
 */
export interface ToolApprovalRequest {
  readonly type: "tool-approval-request";
  readonly run: string;
  readonly part: string;
  readonly digest: string;
  readonly t: number;
}

/**
 * A person has decided.
 */
export interface ToolApprovalResponse {
  readonly type: "tool-approval-response";
  readonly run: string;
  readonly part: string;
  readonly allowed: boolean;
  readonly t: number;
}

/**
 * A tool call's arguments are complete.
 */
export interface ToolInputAvailable {
  readonly type: "tool-input-available";
  readonly run: string;
  readonly part: string;
  readonly name: string;
  readonly input: unknown;
  readonly provider_metadata?: Readonly<Record<string, unknown>> | null;
  readonly t: number;
}

/**
 * JSON text joins a tool call's arguments.
 */
export interface ToolInputDelta {
  readonly type: "tool-input-delta";
  readonly run: string;
  readonly part: string;
  readonly delta: string;
  readonly t: number;
}

/**
 * A tool call opens. The calls of one `round` were made at once, without results.
 */
export interface ToolInputStart {
  readonly type: "tool-input-start";
  readonly run: string;
  readonly part: string;
  readonly name: string;
  readonly round?: number;
  readonly t: number;
}

/**
 * A tool answered.
 */
export interface ToolOutputAvailable {
  readonly type: "tool-output-available";
  readonly run: string;
  readonly part: string;
  readonly output: unknown;
  readonly t: number;
}

/**
 * A tool failed.
 */
export interface ToolOutputError {
  readonly type: "tool-output-error";
  readonly run: string;
  readonly part: string;
  readonly error: string;
  readonly t: number;
}

/**
 * A tool call and, once there is one, its result.
 *
 * `input_text` is the arguments' JSON as it streams; `input` the arguments once complete.
 * Calls of the same `round` were made at once, before there was a result of any.
 * `digest` is what an approval of this call names, where one was asked for, and `allowed` what
 * was decided.
 *
 */
export interface ToolPart {
  readonly type: "tool";
  readonly name: string;
  readonly state?: "approval-requested" | "approval-responded" | "input-available" | "input-streaming" | "output-available" | "output-error";
  readonly input_text?: string;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly error?: string;
  readonly digest?: string;
  readonly allowed?: boolean | null;
  readonly provider_metadata?: Readonly<Record<string, unknown>> | null;
  readonly round?: number;
  readonly id?: string;
  readonly open?: boolean;
}

/**
 * A tool that this client offered is called; `asking` and `returned` answer.
 *
 * The same `call` may come again after a reconnect; it is still to be run once.
 *
 */
export interface ToolRun {
  readonly type: "tool";
  readonly call: string;
  readonly conversation: string;
  readonly run: string;
  readonly part: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * A tool as a model is told of it; `input_schema` is the JSON schema of its arguments.
 */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly input_schema: Readonly<Record<string, unknown>>;
}

/**
 * Tokens of one run, as the provider counted them.
 *
 * `input` includes `cached`; `output` includes `reasoning`. `estimated` is true where the
 * provider gave no count and the relay guessed from the text's length.
 *
 */
export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly reasoning?: number | null;
  readonly cached?: number | null;
  readonly estimated?: boolean;
}

/**
 * Another view of a conversation; `session` and `user` are those of its greeting.
 */
export interface View {
  readonly session: string;
  readonly user: string;
  readonly typing?: boolean;
  readonly seen?: number;
}

/**
 * The other views of a conversation by now, for who is one; replaces what was told before.
 */
export interface Views {
  readonly type: "views";
  readonly conversation: string;
  readonly views: ReadonlyArray<View>;
}

/**
 * Answers `hello`. `session` names this socket, `version` the relay's release.
 */
export interface Welcome {
  readonly type: "welcome";
  readonly session: string;
  readonly user: string;
  readonly heartbeat_s: number;
  readonly limits: Limits;
  readonly version: string;
}

export type Event = MessageAdded | SettingsChanged | TitleChanged | Feedback | Start | Status | TextStart | TextDelta | TextEnd | ReasoningStart | ReasoningDelta | ReasoningEnd | ToolInputStart | ToolInputDelta | ToolInputAvailable | ToolApprovalRequest | ToolApprovalResponse | ToolOutputAvailable | ToolOutputError | File | SourceUrl | Finish | Abort | ErrorEvent;

export type ClientFrame = Hello | Models | Open | Leave | Send | Stop | Serve | Offer | Approve | Rate | Rename | List | Delete | Restore | Export | Said | Done | Asking | Returned | Ack | Presence | Ping | Pong;

export type Ok = ModelsOk | OpenOk | LeaveOk | SendOk | StopOk | ServeOk | OfferOk | ApproveOk | RateOk | RenameOk | ListOk | DeleteOk | RestoreOk | ExportOk;

export type ServerFrame = Welcome | ModelsOk | OpenOk | LeaveOk | SendOk | StopOk | ServeOk | OfferOk | ApproveOk | RateOk | RenameOk | ListOk | DeleteOk | RestoreOk | ExportOk | Events | Snapshot | Deleted | Restored | Stale | Views | ServedCall | ToolRun | Approved | Cancel | Fail | Bye | Ping | Pong;
