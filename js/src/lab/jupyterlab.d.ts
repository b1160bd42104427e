/** What is used of JupyterLab 4, and no more: its own packages bring 330 MB of dependencies for these few lines. */

declare module "streamchat:plugin" {
  import type { Body } from "./federation.ts";
  export const needs: readonly string[];
  export const body: Body;
}

declare module "@lumino/signaling" {
  export interface ISignal<T, U> {
    connect(slot: (sender: T, args: U) => void): boolean;
    disconnect(slot: (sender: T, args: U) => void): boolean;
  }
}

declare module "@lumino/coreutils" {
  export interface Token<T> {
    readonly name: string;
    readonly _tokenStructuralPropertyT: T;
  }
}

declare module "@lumino/disposable" {
  export interface IDisposable {
    dispose(): void;
  }
}

declare module "@lumino/widgets" {
  import type { ISignal } from "@lumino/signaling";

  export interface Title {
    label: string;
    caption: string;
    icon: unknown;
  }

  export class Widget {
    constructor(options?: { readonly node?: HTMLElement });
    id: string;
    readonly title: Title;
    readonly node: HTMLElement;
    readonly isVisible: boolean;
    readonly isAttached: boolean;
    readonly isDisposed: boolean;
    readonly disposed: ISignal<this, void>;
    addClass(name: string): void;
    dispose(): void;
    protected onAfterShow(message: unknown): void;
    protected onAfterAttach(message: unknown): void;
    protected onActivateRequest(message: unknown): void;
  }
}

declare module "@lumino/commands" {
  export type Arguments = Readonly<Record<string, unknown>>;

  export interface CommandOptions {
    readonly label: string | ((args: Arguments) => string);
    readonly caption?: string;
    readonly icon?: unknown;
    readonly isEnabled?: (args: Arguments) => boolean;
    readonly isVisible?: (args: Arguments) => boolean;
    readonly execute: (args: Arguments) => unknown;
    readonly describedBy?: unknown;
  }

  export interface CommandRegistry {
    addCommand(id: string, options: CommandOptions): void;
    execute(id: string, args?: Arguments): Promise<unknown>;
    notifyCommandChanged(id?: string): void;
  }
}

declare module "@jupyterlab/application" {
  import type { CommandRegistry } from "@lumino/commands";
  import type { Token } from "@lumino/coreutils";
  import type { Widget } from "@lumino/widgets";

  export interface JupyterFrontEnd {
    readonly commands: CommandRegistry;
    readonly shell: {
      readonly currentWidget: Widget | null;
      add(widget: Widget, area: string, options?: { readonly rank?: number }): void;
      activateById(id: string): void;
      widgets(area?: string): Iterable<Widget>;
    };
    readonly restored: Promise<void>;
  }

  export interface JupyterFrontEndPlugin<T> {
    readonly id: string;
    readonly description: string;
    readonly autoStart: boolean;
    readonly requires?: readonly Token<unknown>[];
    readonly optional?: readonly Token<unknown>[];
    // The services in the order of `requires` and `optional`; an optional one may be null.
    readonly activate: (app: JupyterFrontEnd, ...services: never[]) => T;
  }

  export interface LayoutRestorer {
    add(widget: Widget, name: string): void;
  }
  export const ILayoutRestorer: Token<LayoutRestorer>;
}

declare module "@jupyterlab/apputils" {
  import type { Token } from "@lumino/coreutils";

  export interface CommandPalette {
    addItem(item: { readonly command: string; readonly category: string; readonly args?: Readonly<Record<string, unknown>> }): unknown;
  }
  export const ICommandPalette: Token<CommandPalette>;
}

declare module "@jupyterlab/settingregistry" {
  import type { Token } from "@lumino/coreutils";
  import type { ISignal } from "@lumino/signaling";

  export interface Settings {
    readonly composite: Readonly<Record<string, unknown>>;
    readonly changed: ISignal<this, void>;
  }
  export interface SettingRegistry {
    load(plugin: string): Promise<Settings>;
  }
  export const ISettingRegistry: Token<SettingRegistry>;
}

declare module "@jupyterlab/statedb" {
  import type { Token } from "@lumino/coreutils";

  export interface StateDB {
    fetch(id: string): Promise<unknown>;
    save(id: string, value: unknown): Promise<void>;
  }
  export const IStateDB: Token<StateDB>;
}

declare module "@jupyterlab/translation" {
  import type { Token } from "@lumino/coreutils";

  export interface TranslationBundle {
    __(text: string, ...args: unknown[]): string;
    _n(singular: string, plural: string, count: number, ...args: unknown[]): string;
  }
  export interface Translator {
    readonly languageCode: string;
    load(domain: string): TranslationBundle;
  }
  export const ITranslator: Token<Translator>;
}

declare module "@jupyterlab/ui-components" {
  export class LabIcon {
    constructor(options: { readonly name: string; readonly svgstr: string });
  }
}

declare module "@jupyterlab/notebook" {
  import type { Token } from "@lumino/coreutils";
  import type { ISignal } from "@lumino/signaling";
  import type { Widget } from "@lumino/widgets";

  export interface CellModel {
    readonly id: string;
    readonly type: "code" | "markdown" | "raw";
    readonly executionCount?: number | null;
    readonly sharedModel: { getSource(): string; setSource(source: string): void };
    readonly outputs?: { readonly length: number; get(index: number): { readonly type: string }; toJSON(): readonly unknown[] };
    getMetadata(key: string): unknown;
  }

  export interface Editor {
    getSelection(): { readonly start: Position; readonly end: Position };
    getOffsetAt(position: Position): number;
  }
  export interface Position {
    readonly line: number;
    readonly column: number;
  }

  export interface Cell extends Widget {
    readonly model: CellModel;
    readonly readOnly: boolean;
    readonly editor: Editor | null;
  }

  export interface NotebookModel {
    readonly readOnly: boolean;
    readonly contentChanged: ISignal<NotebookModel, void>;
    readonly sharedModel: {
      insertCell(index: number, cell: { readonly cell_type: "code"; readonly source: string; readonly metadata: Readonly<Record<string, unknown>> }): unknown;
    };
    getMetadata(key: string): unknown;
  }

  export interface Kernel {
    readonly status: string;
    requestExecute(
      content: {
        readonly code: string;
        readonly silent: boolean;
        readonly store_history: boolean;
        readonly stop_on_error: boolean;
        readonly user_expressions: Readonly<Record<string, string>>;
      },
      disposeOnDone?: boolean,
    ): { readonly done: Promise<{ readonly content: unknown }>; dispose(): void };
  }

  export interface NotebookPanel extends Widget {
    readonly model: NotebookModel | null;
    readonly context: { readonly path: string };
    readonly sessionContext: { readonly session: { readonly kernel: Kernel | null } | null };
    readonly content: Widget & {
      readonly widgets: readonly Cell[];
      readonly activeCell: Cell | null;
      activeCellIndex: number;
      deselectAll(): void;
      scrollToItem(index: number): Promise<void>;
    };
  }

  export interface NotebookTracker {
    readonly currentWidget: NotebookPanel | null;
    readonly activeCell: Cell | null;
    readonly currentChanged: ISignal<NotebookTracker, NotebookPanel | null>;
    readonly activeCellChanged: ISignal<NotebookTracker, Cell | null>;
    readonly widgetAdded: ISignal<NotebookTracker, NotebookPanel>;
    forEach(visit: (panel: NotebookPanel) => void): void;
    find(wanted: (panel: NotebookPanel) => boolean): NotebookPanel | undefined;
  }
  export const INotebookTracker: Token<NotebookTracker>;
}
