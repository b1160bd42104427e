/** What a person reads where a connection or a prompt has ended for good, in the page's language. */

import { trans } from "../translation.ts";

export const loggedOut = () => trans.__("You are not logged in to this Jupyter server any more.");
export const notAllowed = () => trans.__("This Jupyter server does not let you use the chat relay.");
export const replaced = () => trans.__("This connection was replaced by a newer one.");
export const tooLarge = (mib: number) => trans.__("The prompt is larger than %1 MiB. Send less of it.", mib);
export const cutByKernel = () => trans.__("Cut off when the kernel ended.");
export const unanswered = () => trans.__("The relay gave no answer. Try again.");
