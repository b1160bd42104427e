/** Every word of the plugin, said in the page's language as those of the chat are. */

import { trans } from "../translation.ts";

export const chat = () => trans.__("Chat");
export const newChat = () => trans.__("New chat");

// Commands

export const openCommand = () => trans.__("Open Chat");
export const newCommand = () => trans.__("New Chat");
export const stopCommand = () => trans.__("Stop the Answer");
/** Of the commands, in the palette. */
export const category = () => trans.__("Streamchat");

// The notebook

export const noAnswer = () => trans.__("The kernel did not answer.");
