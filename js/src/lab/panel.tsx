/** The side panel: one conversation at a time, the same chat as in a cell. */

import { Widget } from "@lumino/widgets";
import { createRef, render } from "preact";
import { randomId, type Connection } from "../connection.ts";
import type { ConversationStore } from "../conversation.ts";
import { Chat, type ChatHandle } from "../view/chat.tsx";
import { Conversations } from "../view/conversations.tsx";
import { ListIcon, PlusIcon } from "../view/icons.tsx";
import { Notice } from "../view/status.tsx";
import { conversations, noServer } from "../view/strings.ts";
import { chatIcon } from "./icon.ts";
import type { PanelSettings } from "./settings.ts";
import * as strings from "./strings.ts";

export const PANEL_ID = "jupyter-streamchat-panel";

export class ChatPanel extends Widget {
  readonly #connection: Connection | null;
  readonly #onConversation: (id: string) => void;
  readonly #handle = createRef<ChatHandle>();
  readonly #lifetime = new AbortController();
  #settings: PanelSettings;
  #conversation = randomId();
  #followed = new AbortController();
  #store: ConversationStore | null = null;
  /** Whether the list of conversations stands in the place of the chat. */
  #listed = false;
  /** Whether it is known with which conversation to begin. */
  #begun = false;
  #held = false;
  #drawn = false;

  constructor(connection: Connection | null, settings: PanelSettings, onConversation: (id: string) => void) {
    super();
    this.#connection = connection;
    this.#settings = settings;
    this.#onConversation = onConversation;
    this.id = PANEL_ID;
    this.addClass("streamchat-panel");
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", strings.chat());
    this.title.icon = chatIcon;
    this.title.caption = strings.chat();
  }

  /** Begin with the conversation that was open last; without one, with a new one. Nothing is drawn before. */
  begin(conversation?: string): void {
    // A person may have been faster.
    if (this.#begun) return;
    if (conversation === undefined) this.#onConversation(this.#conversation);
    else this.#conversation = conversation;
    this.#begun = true;
    if (this.isVisible) this.#draw();
  }

  /** The chat, in sight and able to take something; null on a page without a server. */
  chat(): ChatHandle | null {
    // What was deleted takes nothing any more.
    if (this.#store !== null && this.#store.deleted !== null) this.open(randomId());
    this.#listed = false;
    this.#draw();
    return this.#handle.current;
  }

  get running(): boolean {
    return this.#handle.current?.running ?? false;
  }

  /** Show another conversation. */
  open(conversation: string): void {
    this.#begun = true;
    this.#listed = false;
    if (conversation !== this.#conversation) {
      this.#conversation = conversation;
      this.#onConversation(conversation);
    }
    if (this.#drawn) this.#draw();
  }

  newChat(): void {
    this.open(randomId());
    this.chat()?.focus();
  }

  /** Show the list of conversations, or the chat again. */
  list(on: boolean): void {
    this.#listed = on;
    this.#draw();
    if (on) this.node.querySelector<HTMLElement>(".streamchat-past input")?.focus();
    else this.#handle.current?.focus();
  }

  /** Take changed settings at once. */
  configure(settings: PanelSettings): void {
    this.#settings = settings;
    if (this.#drawn) this.#draw();
  }

  override dispose(): void {
    this.#followed.abort();
    this.#lifetime.abort();
    render(null, this.node);
    super.dispose();
  }

  /** Nothing is drawn, and no socket opened, before somebody looks. */
  protected override onAfterShow(): void {
    this.#draw();
  }

  protected override onAfterAttach(): void {
    if (this.isVisible) this.#draw();
  }

  protected override onActivateRequest(): void {
    this.#draw();
    this.chat()?.focus();
  }

  #draw(): void {
    if (!this.#begun) return;
    this.#drawn = true;
    const connection = this.#connection;
    if (connection === null) {
      render(
        <div class="streamchat">
          <Notice text={noServer()} />
        </div>,
        this.node,
      );
      return;
    }
    if (!this.#held) {
      this.#held = true;
      connection.hold(this.#lifetime.signal);
    }
    const before = this.#followed;
    this.#followed = new AbortController();
    // Followed anew before it is left, so that it is the same store where it is the same conversation.
    const store = connection.follow(this.#conversation, this.#followed.signal);
    before.abort();
    this.#store = store;
    const listed = this.#listed;
    const { model, params } = this.#settings;
    render(
      <>
        <div class="streamchat streamchat-panel-head">
          <h2>{listed ? conversations() : strings.chat()}</h2>
          <button
            type="button"
            class="streamchat-icon"
            aria-label={conversations()}
            title={listed ? strings.backToChat() : conversations()}
            aria-expanded={listed}
            onClick={() => this.list(!listed)}
          >
            <ListIcon />
          </button>
          {/* The list has one of its own. */}
          {!listed && (
            <button
              type="button"
              class="streamchat-icon"
              aria-label={strings.newChat()}
              title={strings.newChat()}
              onClick={() => this.newChat()}
            >
              <PlusIcon />
            </button>
          )}
        </div>
        {listed && (
          <div class="streamchat streamchat-panel-list">
            <Conversations
              connection={connection}
              current={this.#conversation}
              onOpen={(id) => {
                this.open(id);
                this.chat()?.focus();
              }}
              onNew={() => this.newChat()}
            />
          </div>
        )}
        {/* Kept with what is being written in it. */}
        <div class="streamchat streamchat-chat" key={this.#conversation} hidden={listed}>
          <Chat handle={this.#handle} {...{ connection, store, model, params }}>
            <Welcome />
          </Chat>
        </div>
      </>,
      this.node,
    );
  }
}

/** What can be done here, while nothing has been said. */
function Welcome() {
  return (
    <div class="streamchat-welcome">
      <h3>{strings.welcome()}</h3>
      <ul>
        <li>{strings.welcomeMention()}</li>
        <li>{strings.welcomeCode()}</li>
        <li>{strings.welcomeError()}</li>
      </ul>
    </div>
  );
}
