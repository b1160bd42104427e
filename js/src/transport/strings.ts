/** What a person reads where the way to the relay fails, or a file does not get through, in the page's language. */

import { trans } from "../translation.ts";

// Jupyter's server

export const login = () => trans.__("Log in to Jupyter again and reload this page.");
export const notEnabled = () =>
  trans.__(
    "The jupyter_streamchat server extension is not enabled: run “jupyter server extension enable streamchat_relay” where Jupyter is installed, restart Jupyter and reload this page.",
  );
export const noWebSocket = () =>
  trans.__("Jupyter answers, but no WebSocket gets through. If a proxy is in between, it must pass WebSockets.");

// The kernel

export const kernelGone = () => trans.__("The kernel has ended, and its chats with it. Run the cell again to go on.");
export const kernelBusy = () => trans.__("The kernel is busy. This chat goes on when the cell that runs has ended.");
export const kernelSilent = () =>
  trans.__("The kernel does not answer. It is busy, or it was restarted: then run the cell again.");

export const variablesLate = () =>
  trans.__("The kernel is busy or gone: its variables can be mentioned when it answers again.");
export const variablesGone = () => trans.__("The kernel has ended: run the cell again to mention its variables.");

// Files

export const unreachable = () => trans.__("The Jupyter server could not be reached. Add it again.");
export const removed = () => trans.__("Removed.");
export const proxyLimit = () => trans.__("A proxy before Jupyter does not let files of this size through.");
export const notTaken = (status: number) => trans.__("The Jupyter server does not take it (%1).", status);
