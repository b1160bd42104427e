/** The connections to relays in kernels: one for each widget, found by its views under the name that the kernel gave it. */

import { Connection } from "./connection.ts";
import { commTransport, type CommModel } from "./transport/comm.ts";

const connections = new Map<string, Connection>();

/** The connection of a widget, made over `model` where there is none yet and kept until the signal. */
export function kernelConnection(link: string, model: CommModel, signal: AbortSignal): Connection {
  const known = connections.get(link);
  if (known !== undefined) return known;
  const made = new Connection(commTransport(model, signal));
  connections.set(link, made);
  signal.addEventListener("abort", () => connections.delete(link));
  return made;
}
