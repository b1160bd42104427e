/** The root for JupyterLab and Notebook 7: notebooks for every chat of the page, the side panel, commands and settings. */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin, type LayoutRestorer } from "@jupyterlab/application";
import { ICommandPalette, type CommandPalette } from "@jupyterlab/apputils";
import { INotebookTracker, type NotebookPanel, type NotebookTracker } from "@jupyterlab/notebook";
import { ISettingRegistry, type SettingRegistry } from "@jupyterlab/settingregistry";
import { IStateDB, type StateDB } from "@jupyterlab/statedb";
import { ITranslator, type Translator } from "@jupyterlab/translation";
import { provideNotebooks } from "../notebook.ts";
import { pageConnection } from "../page.ts";
import { pagePreferences } from "../preferences.ts";
import { setTranslation } from "../translation.ts";
import { addCommands } from "./commands.ts";
import { offerExplanations } from "./errors.ts";
import { LabNotebooks } from "./notebooks.ts";
import { ChatPanel, PANEL_ID } from "./panel.tsx";
import { panelSettings, preferences } from "./settings.ts";
import { listen } from "./signals.ts";

const ID = "jupyter-streamchat:plugin";
const STATE = `${ID}:conversation`;
const CONVERSATION = /^[A-Za-z0-9_-]{1,64}$/;

const plugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: "A side panel with a streaming LLM chat, and what chats may do with the open notebook.",
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ITranslator, ISettingRegistry, IStateDB, ICommandPalette, ILayoutRestorer],
  activate,
};

function activate(
  app: JupyterFrontEnd,
  tracker: NotebookTracker,
  translator: Translator | null,
  registry: SettingRegistry | null,
  state: StateDB | null,
  palette: CommandPalette | null,
  restorer: LayoutRestorer | null,
): void {
  // As long as the page.
  const { signal } = new AbortController();
  const notebooks = new LabNotebooks(tracker);
  provideNotebooks(notebooks, signal);
  if (translator !== null) setTranslation(translator.load("jupyter_streamchat"), translator.languageCode);
  const panel = new ChatPanel(pageConnection(), panelSettings({}), (conversation) => {
    void state?.save(STATE, { conversation });
  });
  app.shell.add(panel, "right", { rank: 900 });
  restorer?.add(panel, PANEL_ID);
  const actions = addCommands({ app, panel, notebooks, tracker, palette });
  const opened = (open: NotebookPanel): void => {
    const lifetime = new AbortController();
    open.disposed.connect(() => lifetime.abort());
    offerExplanations(open.node, actions, lifetime.signal);
  };
  tracker.forEach(opened);
  listen(tracker.widgetAdded, (_, open) => opened(open), signal);

  // Where it cannot be remembered, it is a new one each time.
  void (state?.fetch(STATE) ?? Promise.resolve()).then(
    (kept) => {
      const conversation = (kept as { conversation?: unknown } | undefined)?.conversation;
      panel.begin(typeof conversation === "string" && CONVERSATION.test(conversation) ? conversation : undefined);
    },
    () => panel.begin(),
  );
  void registry?.load(ID).then(
    (settings) => {
      const take = (): void => {
        panel.configure(panelSettings(settings.composite));
        pagePreferences().set(preferences(settings.composite));
      };
      take();
      listen(settings.changed, take, signal);
    },
    (error: unknown) => console.error(`${ID}: its settings cannot be read.`, error),
  );
}

export default plugin;
