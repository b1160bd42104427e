/** Every word that a person reads or hears in a chat, each said in the page's language. Arguments stand where `%1`, `%2` … do. */

import type { Labels } from "../markdown/index.ts";
import { trans } from "../translation.ts";

// The chat and its conversation

export const conversation = () => trans.__("Conversation");
export const chat = () => trans.__("Chat");
export const wholePage = () => trans.__("Fill the page");
export const wholePageOff = () => trans.__("Back to its place (Escape)");
export const messages = () => trans.__("Messages");
export const jumpToLatest = () => trans.__("Jump to latest");
export const nameConversation = () => trans.__("Name this conversation");
export const renameConversation = () => trans.__("Rename this conversation");
export const conversationName = () => trans.__("Name of this conversation");
export const conversationKeys = () => trans.__("Enter keeps it, Escape leaves it as it was");
export const noServer = () =>
  trans.__("This page does not know a Jupyter server. Open the notebook in JupyterLab or Notebook 7 with jupyter_streamchat installed.");
export const badId = () => trans.__("This saved chat cannot be opened: its id is not valid. Run the cell again.");
export const lostAnswer = () =>
  trans.__("This answer is not on this server: its conversation was deleted, or it was made elsewhere.");

export const conversationDeleted = () => trans.__("This conversation was deleted.");
export const restore = () => trans.__("Restore");
export const conversationMenu = () => trans.__("Export or delete this conversation");
export const deleteConversation = () => trans.__("Delete this conversation");
export const rename = () => trans.__("Rename");
export const exportMarkdown = () => trans.__("Export as Markdown");
export const exportLines = () => trans.__("Export as JSON Lines");
export const deleteKey = () => trans.__("Del");
export const deleteIt = () => trans.__("Delete");

// Other views of it

export const typingElsewhere = () => trans.__("Typing in another tab…");
export const typingBy = (name: string) => trans.__("%1 is typing…", name);
export const seenElsewhere = () => trans.__("Seen in another tab");
export const seenBy = (names: string) => trans.__("Seen by %1", names);

// The list of conversations

export const conversations = () => trans.__("Conversations");
export const newConversation = () => trans.__("New conversation");
export const searchConversations = () => trans.__("Search conversations");
export const moreFor = (title: string) => trans.__("More for %1", title);
export const untitled = () => trans.__("Untitled");
export const today = () => trans.__("Today");
export const yesterday = () => trans.__("Yesterday");
export const previousDays = (days: number) => trans.__("Previous %1 days", days);
export const justNow = () => trans.__("now");
export const answeringNow = () => trans.__("Answering now");
export const noConversations = () => trans.__("No conversations yet. What you ask is kept here.");
export const nothingFound = (words: string) => trans.__("Nothing found for “%1”.", words);
export const foundCount = (count: number, number: string) => trans._n("%2 conversation found", "%2 conversations found", count, number);
export const loadingConversations = () => trans.__("Loading conversations…");
export const wasDeleted = (title: string) => trans.__("Deleted “%1”", title);
export const undo = () => trans.__("Undo");

// The composer

export const prompt = () => trans.__("Prompt");
export const ask = () => trans.__("Ask anything");
export const promptKeys = () => trans.__("Enter sends, Shift+Enter breaks the line, Escape stops");
export const promptKeysCtrl = () => trans.__("Ctrl+Enter sends, Enter breaks the line, Escape stops");
export const send = () => trans.__("Send");
export const sendKey = () => trans.__("Send (Enter)");
export const uploadingFiles = () => trans.__("Files are being uploaded");
export const stop = () => trans.__("Stop");
export const stopKey = () => trans.__("Stop (Escape)");
export const model = () => trans.__("Model");
export const models = () => trans.__("Models");
export const defaultModel = () => trans.__("Default model");
export const demoModel = (name: string) => trans.__("%1 (demo)", name);
export const notAvailable = () => trans.__("Not available");
export const unavailable = (provider: string, why: string) => trans.__("%1: %2", provider, why);

// Prompts and their versions

export const yourPrompt = () => trans.__("Your prompt");
export const editPrompt = () => trans.__("Edit prompt");
export const editAndSend = () => trans.__("Edit and send again");
export const editorKeys = () => trans.__("Enter sends, Shift+Enter breaks the line, Escape leaves it as it was");
export const cancel = () => trans.__("Cancel");
export const queued = () => trans.__("Queued");
/** `position` is as for `placeInQueue`. */
export const queuedAt = (position: string) => trans.__("Queued, %1 in line", position);
export const removeFromQueue = () => trans.__("Remove from the queue");
export const previousVersion = () => trans.__("Previous version");
export const nextVersion = () => trans.__("Next version");
export const version = (number: string, of: string) => trans.__("Version %1 of %2", number, of);

// Files

export const attachFiles = () => trans.__("Attach files");
export const attachWhat = () => trans.__("Attach pictures, PDFs, audio or text files");
export const attachedFiles = () => trans.__("Attached files");
export const uploading = (name: string) => trans.__("Uploading %1", name);
export const removeFile = (name: string) => trans.__("Remove %1", name);
export const remove = () => trans.__("Remove");
export const file = (name: string) => trans.__("File: %1", name);
export const dropFiles = () => trans.__("Drop files to add them to your prompt");
export const someFile = () => trans.__("A file");
export const fileTooLarge = (name: string, size: string, most: string) =>
  trans.__("%1 has %2 MiB; at most %3 MiB can be sent.", name, size, most);
export const fileUnreadable = (name: string) => trans.__("%1 cannot be read. A folder has to be packed into files first.", name);
export const fileEmpty = (name: string) => trans.__("%1 cannot be sent: it is empty.", name);
export const fileUnknown = (name: string) =>
  trans.__("%1 cannot be sent: models take pictures (PNG, JPEG, GIF, WebP), PDFs, audio (WAV, MP3) and text in UTF-8.", name);
export const fileFailed = (name: string, why: string) => trans.__("%1: %2", name, why);
export const cannotBeSent = () => trans.__("it cannot be sent.");
export const cannotBeRead = () => trans.__("It cannot be read.");
export const blind = (model: string) => trans.__("%1 does not look at pictures. Choose another model, or remove them.", model);

export const deaf = (model: string) => trans.__("%1 does not listen to audio. Choose another model, or remove it.", model);
/** How long a recording is. */
export const length = (minutes: string, seconds: string) => trans.__("%1:%2", minutes, seconds);

// The notebook's cells

/** A cell, by the number in its brackets. */
export const ranCell = (number: string) => trans.__("cell [%1]", number);
/** A cell that has not run, by its place. */
export const freshCell = (place: string) => trans.__("cell no. %1", place);
export const insertBelow = () => trans.__("Insert below");
export const insertShort = () => trans.__("Insert");
export const insertWhere = (cell: string) => trans.__("Make a new cell of this code below %1", cell);
export const inserted = () => trans.__("Inserted");
export const notPossible = () => trans.__("Not possible");
export const replaceCell = (cell: string) => trans.__("Replace %1", cell);
export const replaceWhat = (cell: string) => trans.__("Show what would change in %1, and replace its code", cell);
export const replaced = () => trans.__("Replaced");
export const mayReplace = (cell: string) => trans.__("Replace %1?", cell);
export const ownCell = () => trans.__("This chat stands in it.");
export const linesRemoved = (count: number) => trans._n("%1 line removed", "%1 lines removed", count);
export const linesAdded = (count: number) => trans._n("%1 line added", "%1 lines added", count);
export const sameCode = () => trans.__("It has this code already.");
export const changes = () => trans.__("Changes, line by line");
export const removedLine = () => trans.__("Removed:");
export const addedLine = () => trans.__("Added:");
export const leaveCell = () => trans.__("Leave the cell as it is (Escape)");
export const replaceKey = () => trans.__("Enter replaces; it can be undone in the cell");
export const cellGone = () => trans.__("This cell is not there any more. Its code can still be copied.");
export const cellChanged = () => trans.__("The cell was changed in between. This is how it would change now.");
export const cellFixed = () => trans.__("This cell cannot be changed now: it is read-only, or its notebook was closed.");

// What goes with a prompt

export const addCells = () => trans.__("Add cells");
export const addCellsWhat = () => trans.__("Add cells of the notebook to the prompt");
export const cellsOf = (name: string) => trans.__("Cells of %1", name);
export const noNotebook = () => trans.__("No notebook is open.");
export const noCells = () => trans.__("Its cells are empty.");
export const runCell = (number: string) => trans.__("Cell [%1]", number);
export const unrunCell = (place: string) => trans.__("Cell %1, not run", place);
export const textCell = (place: string) => trans.__("Text cell %1", place);
export const output = () => trans.__("Output:");
export const charactersLeftOut = (count: string) => trans.__("… (%1 characters left out) …", count);
export const mentionable = () => trans.__("What can be mentioned");
export const suggestions = (count: number) => trans._n("%1 suggestion", "%1 suggestions", count);
export const askingKernel = () => trans.__("Asking the kernel…");
export const noKernel = () => trans.__("No kernel runs here: start one to mention its variables.");
export const notPython = () => trans.__("Only variables of a Python kernel can be mentioned.");
export const kernelComputes = () => trans.__("The kernel is busy: its variables can be mentioned when it has finished.");
export const kernelWithout = () =>
  trans.__("This kernel does not have jupyter_streamchat: install it there to mention variables.");
export const noVariable = (name: string) => trans.__("There is no variable %1.", name);
export const addedContext = () => trans.__("Goes with the prompt");

// Answers

export const answer = () => trans.__("Answer");
export const answerOf = (model: string) => trans.__("Answer of %1", model);
export const retry = () => trans.__("Retry");
export const regenerate = () => trans.__("Regenerate");
export const withModel = (what: string, model: string) => trans.__("%1 with %2", what, model);
export const anotherModel = () => trans.__("Choose another model");
export const goOn = () => trans.__("Continue");
export const goOnWhere = () => trans.__("Go on where the answer ends");
export const goodAnswer = () => trans.__("Good answer");
export const badAnswer = () => trans.__("Bad answer");
export const copyAnswer = () => trans.__("Copy answer as Markdown");
export const copied = () => trans.__("Copied");

// Tool calls

export const mayRun = (tool: string) => trans.__("Run %1?", tool);
/** `%1` is the tool's name, which stands there as code. */
export const mayRunInKernel = () => trans.__("Run %1 in your kernel?", "%1");
export const allowOnce = () => trans.__("Allow once");
export const doNotAllow = () => trans.__("Don’t allow");
export const notAllowed = () => trans.__("not allowed");
export const failed = () => trans.__("failed");

// How an answer stands

export const stopping = () => trans.__("Stopping…");
export const waitingForConnection = () => trans.__("Waiting for the connection…");
export const sending = () => trans.__("Sending…");
export const waitsInQueue = () => trans.__("Queued…");
/** `position` is an ordinal, such as “2nd”, in English, and the number in other languages. */
export const placeInQueue = (position: string) => trans.__("Queued, %1 in line…", position);
export const busy = () => trans.__("The provider is busy. Trying again…");
export const busyFor = (time: string) => trans.__("The provider is busy. Trying again in %1…", time);
export const waitingForToken = () => trans.__("Waiting for the first token…");
export const waitingForDecision = () => trans.__("Waiting for your decision…");
export const runningTools = (names: string) => trans.__("Running %1…", names);
export const answering = () => trans.__("Answering…");
export const codeBlock = (name: string) => (name === "" ? trans.__("Code.") : trans.__("Code in %1.", name));
export const formula = () => trans.__("A formula.");
export const complete = () => trans.__("Answer complete.");
export const answerFailed = () => trans.__("The answer failed.");
export const stopped = () => trans.__("Stopped");
export const outOfBudget = () => trans.__("Stopped: the budget is used up.");
export const unwatched = () => trans.__("Stopped, as nobody was watching");
export const serverLost = () => trans.__("The server was restarted while it answered. This is what came.");
export const cutOff = () => trans.__("Cut off at the model’s length limit");
export const filtered = () => trans.__("Held back by the provider’s content filter.");
export const thinking = () => trans.__("Thinking…");
export const thoughts = () => trans.__("Thoughts");
export const thoughtBriefly = () => trans.__("Thought for a moment");
export const thoughtFor = (time: string) => trans.__("Thought for %1", time);

// Figures

export const seconds = (number: string) => trans.__("%1 s", number);
export const minutes = (whole: string, rest: string) => trans.__("%1 min %2 s", whole, rest);
export const leftOut = (count: number) => trans._n("%1 earlier message left out", "%1 earlier messages left out", count);
export const leftOutWhy = () => trans.__("They do not fit into what this model reads at once");
export const toFirstToken = (time: string) => trans.__("%1 to first token", time);
export const timeToFirstToken = () => trans.__("Time to first token");
export const rate = (number: string) => trans.__("%1 tokens/s", number);
export const tokensPerSecond = () => trans.__("Tokens per second");
export const tokensPerSecondAbout = () => trans.__("Tokens per second, estimated");
export const tokens = (count: number, number: string) => trans._n("%2 token", "%2 tokens", count, number);
export const tokensIn = (count: number, number: string) => trans._n("%2 token in", "%2 tokens in", count, number);
export const tokensCached = (count: number, number: string) => trans._n("%2 of them cached", "%2 of them cached", count, number);
export const tokensOut = (count: number, number: string) => trans._n("%2 token out", "%2 tokens out", count, number);
export const tokensReasoning = (count: number, number: string) => trans._n("%2 of them reasoning", "%2 of them reasoning", count, number);

// What is left of a budget

export const dollarsLeft = (left: string, limit: string) => trans.__("about %1 of %2 left today", left, limit);
export const tokensLeftToday = (left: string, limit: string) => trans.__("%1 of %2 tokens left today", left, limit);
export const tokensLeftHere = (left: string, limit: string) => trans.__("%1 of %2 tokens left in this conversation", left, limit);

// The connection

export const connecting = () => trans.__("Connecting…");
export const notConnected = () => trans.__("Not connected");
export const reconnecting = () => trans.__("Reconnecting…");
export const reconnectingIn = (time: string) => trans.__("Reconnecting in %1", time);
export const tryNow = () => trans.__("Try now");
export const kernelBusy = () =>
  trans.__("The kernel is busy. Prompts and Stop wait for its cell to end; its interrupt button ends it.");
export const hosted = () =>
  trans.__("Runs without the server extension: answers end with the kernel, keys come from its environment.");

/** The words of what the Markdown renderer draws. */
export const markdownLabels = (): Labels => ({
  copy: trans.__("Copy"),
  copied: trans.__("Copied"),
  notAllowed: trans.__("Not allowed"),
  wrap: trans.__("Wrap"),
  fold: trans.__("Fold"),
  unfold: trans.__("Unfold"),
  text: trans.__("text"),
  done: trans.__("Done"),
  toDo: trans.__("To do"),
  note: trans.__("Note"),
  tip: trans.__("Tip"),
  important: trans.__("Important"),
  warning: trans.__("Warning"),
  caution: trans.__("Caution"),
  footnotes: trans.__("Footnotes"),
  footnote: (number) => trans.__("Footnote %1", number),
  back: trans.__("Back to the text"),
  loadImage: trans.__("Load image"),
  loadNamedImage: (name) => trans.__("Load image: %1", name),
});
