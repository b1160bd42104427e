/** The one connection of this page, found again by every copy of this module: anywidget imports it once for each widget. */

import { Connection } from "./connection.ts";
import { pageAddress, webSocketTransport } from "./transport/websocket.ts";

/** Raise the number when `Connection` or `ConversationStore` change in a way that an older view would not survive. */
const KEY = Symbol.for("jupyter_streamchat.connection/3");

/** The page's connection, or null on a page that does not know its Jupyter server. */
export function pageConnection(): Connection | null {
  const page = globalThis as { [KEY]?: Connection };
  if (page[KEY] === undefined) {
    const address = pageAddress(document);
    if (address === null) return null;
    page[KEY] = new Connection(webSocketTransport(address, location.href));
  }
  return page[KEY];
}
