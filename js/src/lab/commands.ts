/** The plugin's commands, where they are found, and what they do. */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { CommandPalette } from "@jupyterlab/apputils";
import type { MainMenu } from "@jupyterlab/mainmenu";
import { chatIcon } from "./icon.ts";
import { PANEL_ID, type ChatPanel } from "./panel.tsx";
import * as strings from "./strings.ts";

interface Where {
  readonly app: JupyterFrontEnd;
  readonly panel: ChatPanel;
  readonly palette: CommandPalette | null;
  readonly menu: MainMenu | null;
}

export function addCommands({ app, panel, palette, menu }: Where): void {
  const { commands, shell } = app;
  const show = (): void => shell.activateById(PANEL_ID);
  const add = (name: string, label: string, execute: () => unknown, more: { readonly icon?: unknown; readonly isEnabled?: () => boolean } = {}): void => {
    const command = `streamchat:${name}`;
    commands.addCommand(command, { label, execute, ...more });
    palette?.addItem({ command, category: strings.category() });
  };

  add("open", strings.openCommand(), show, { icon: chatIcon });
  add("new", strings.newCommand(), () => {
    show();
    panel.newChat();
  });
  add("stop", strings.stopCommand(), () => panel.chat?.stop(), { isEnabled: () => panel.chat?.running ?? false });

  menu?.viewMenu.addGroup([{ command: "streamchat:open" }], 20);
}
