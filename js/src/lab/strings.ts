/** Every word of the plugin, said in the page's language as those of the chat are. */

import { trans } from "../translation.ts";

export const chat = () => trans.__("Chat");
export const backToChat = () => trans.__("Back to the chat");
export const newChat = () => trans.__("New chat");

export const welcome = () => trans.__("What is it about?");
export const welcomeMention = () => trans.__("@ mentions a variable or a cell of the notebook.");
export const welcomeCode = () => trans.__("Code of an answer goes into a cell with a click.");
export const welcomeError = () => trans.__("“Explain this error” stands below a cell that failed.");

// Commands

export const openCommand = () => trans.__("Open Chat");
export const newCommand = () => trans.__("New Chat");
export const stopCommand = () => trans.__("Stop the Answer");
export const explainCommand = () => trans.__("Explain the Error of This Cell");
export const addCommand = () => trans.__("Add the Selection or This Cell to the Chat");
/** Of the commands, in the palette. */
export const category = () => trans.__("Streamchat");

// The notebook

export const noAnswer = () => trans.__("The kernel did not answer.");
export const selection = (cell: string) => trans.__("Selection in %1", cell);
export const explain = () => trans.__("Explain this error");
export const explainWhat = () => trans.__("Ask in the chat what it means, with this cell and its traceback");
export const explainWith = () => trans.__("With cells…");
export const explainWithWhat = () => trans.__("Choose cells that go with the question first");
export const question = (cell: string, error: string) => trans.__("Explain this error in %1, and how to mend it: %2", cell, error);
