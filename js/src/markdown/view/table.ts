/** A table on the screen, row by row. */

import { rowCells, type Align } from "../blocks/starts.ts";
import { Groups } from "./groups.ts";
import { Prose, type Desk } from "./prose.ts";

/** A table of more rows keeps the widths that its columns have by then, so that its rows can be laid out by groups. */
const LONG_TABLE = 64;

export class TableView {
  readonly element: HTMLElement;
  readonly #desk: Desk;
  readonly #aligns: readonly Align[];
  readonly #table: HTMLElement;
  readonly #head: HTMLElement;
  #body: Groups | null = null;
  #row = "";
  #cells: Prose[] = [];
  #tail: HTMLElement;

  constructor(desk: Desk, aligns: readonly Align[], header: string) {
    [this.#desk, this.#aligns] = [desk, aligns];
    this.element = document.createElement("div");
    this.element.className = "streamchat-md-table";
    // A wide one is scrolled with the arrow keys, as a long line of code is.
    this.element.tabIndex = 0;
    this.#table = document.createElement("table");
    this.#head = document.createElement("thead");
    this.#table.append(this.#head);
    this.element.append(this.#table);
    this.#tail = this.#table;
    this.#begin(this.#head, "th");
    this.append(header);
    this.endRow();
  }

  get tail(): HTMLElement {
    return this.#tail;
  }

  beginRow(): void {
    if (this.#body === null) {
      const body = document.createElement("tbody");
      this.#table.append(body);
      this.#body = new Groups(body, "rows");
    }
    if (this.#body.count === LONG_TABLE) this.#freezeColumns();
    this.#begin(this.#body.next(), "td");
  }

  append(text: string): void {
    this.#row += text;
  }

  draw(force: boolean): void {
    this.#fill(false, force);
  }

  endRow(): void {
    this.#fill(true, true);
    this.#cells = [];
  }

  /** No more rows come. */
  close(): void {
    this.#body?.close();
  }

  #begin(parent: HTMLElement, tag: "th" | "td"): void {
    this.#row = "";
    const row = document.createElement("tr");
    this.#cells = this.#aligns.map((align) => {
      const cell = document.createElement(tag);
      if (align !== "") cell.setAttribute("align", align);
      row.append(cell);
      return new Prose(this.#desk, () => cell, { cell: true });
    });
    this.#tail = row;
    parent.append(row);
  }

  #fill(final: boolean, force: boolean): void {
    const texts = rowCells(this.#row);
    this.#cells.forEach((cell, index) => {
      const text = texts[index];
      if (text !== undefined) cell.show(text, final || index < texts.length - 1, force);
    });
  }

  /** The widths as shares: a narrower page still holds them. */
  #freezeColumns(): void {
    const widths = [...(this.#head.firstElementChild?.children ?? [])].map((cell) => Math.max(1, Math.round(cell.getBoundingClientRect().width)));
    this.#table.style.setProperty("--streamchat-md-columns", widths.map((width) => `minmax(0, ${width}fr)`).join(" "));
    this.#table.style.width = `${widths.reduce((sum, width) => sum + width, 0)}px`;
    this.#table.style.maxWidth = "100%";
    this.#table.classList.add("streamchat-md-long");
  }
}
