/** How the connection stands, in a line; why it does not stand, in a sentence. */

import type { Connection } from "../connection.ts";
import { useChanges, useNow, useSettled } from "./hooks.ts";
import * as strings from "./strings.ts";
import { connectivity } from "./words.ts";

/** Nobody needs to hear of what is over sooner. */
const WORTH_SAYING_MS = 600;

export function StatusLine({ connection }: { readonly connection: Connection }) {
  useChanges(connection);
  const offline = connection.status.kind !== "live";
  const now = useNow(offline);
  const worth = useSettled(offline, WORTH_SAYING_MS);
  const shown = connectivity(connection.status, now);
  return (
    <div class="streamchat-status">
      {worth && shown !== null && (
        <>
          <span class="streamchat-dot" aria-hidden="true" />
          {/* The seconds would be read out one by one. */}
          <span>{shown.text}</span>
          {shown.canRetry && (
            <button type="button" class="streamchat-quiet" onClick={() => connection.retryNow()}>
              {strings.tryNow()}
            </button>
          )}
        </>
      )}
    </div>
  );
}

/** What stands in the way of the connection, and what a person can do. */
export function Obstacle({ connection }: { readonly connection: Connection }) {
  useChanges(connection);
  const { status } = connection;
  const reason = status.kind === "reconnecting" || status.kind === "ended" ? status.reason : null;
  return reason === null ? null : <Notice text={reason.message} />;
}

/** That the kernel computes and hears nothing from this page meanwhile, and what stops an answer then: Stop, and an interrupt. */
export function Blocked({ connection }: { readonly connection: Connection }) {
  useChanges(connection);
  if (!connection.blocked) return null;
  return (
    <div class="streamchat-hosted" role="status">
      {strings.kernelBusy()}
    </div>
  );
}

/** What a relay in the kernel lacks; said once, quietly. */
export function Hosted({ connection }: { readonly connection: Connection }) {
  if (connection.relay !== "kernel") return null;
  return (
    <div class="streamchat-hosted">{strings.hosted()}</div>
  );
}

export function Notice({ text }: { readonly text: string }) {
  return (
    <div class="streamchat-notice" role="alert">
      {text}
    </div>
  );
}
