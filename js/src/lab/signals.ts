/** Lumino's signals, listened to for a lifetime. */

import type { ISignal } from "@lumino/signaling";

/** Call `slot` whenever the signal is emitted, until the lifetime ends. */
export function listen<T, U>(signal: ISignal<T, U>, slot: (sender: T, args: U) => void, lifetime: AbortSignal): void {
  if (lifetime.aborted) return;
  signal.connect(slot);
  lifetime.addEventListener("abort", () => signal.disconnect(slot));
}
