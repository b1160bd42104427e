/** The plugin's commands, where they are found, and what they do. */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { CommandPalette } from "@jupyterlab/apputils";
import type { MainMenu } from "@jupyterlab/mainmenu";
import type { TranslationBundle } from "@jupyterlab/translation";
import { chatIcon } from "./icon.ts";
import { PANEL_ID, type ChatPanel } from "./panel.tsx";

interface Where {
  readonly app: JupyterFrontEnd;
  readonly panel: ChatPanel;
  readonly palette: CommandPalette | null;
  readonly menu: MainMenu | null;
  readonly trans: TranslationBundle;
}

export function addCommands({ app, panel, palette, menu, trans }: Where): void {
  const { commands, shell } = app;
  const show = (): void => shell.activateById(PANEL_ID);
  const add = (name: string, label: string, execute: () => unknown, more: { readonly icon?: unknown; readonly isEnabled?: () => boolean } = {}): void => {
    const command = `streamchat:${name}`;
    commands.addCommand(command, { label, execute, ...more });
    palette?.addItem({ command, category: "Streamchat" });
  };

  add("open", trans.__("Open Chat"), show, { icon: chatIcon });
  add("new", trans.__("New Chat"), () => {
    show();
    panel.newChat();
  });
  add("stop", trans.__("Stop the Answer"), () => panel.chat?.stop(), { isEnabled: () => panel.chat?.running ?? false });

  menu?.viewMenu.addGroup([{ command: "streamchat:open" }], 20);
}
