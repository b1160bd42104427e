import { afterEach, expect, it } from "vitest";
import { pageNotebooks, provideNotebooks } from "../src/notebook.ts";
import { FakeNotebook } from "./fakes/notebook.ts";

const KEY = Symbol.for("jupyter_streamchat.notebooks/1");
let lifetime = new AbortController();

afterEach(() => {
  lifetime.abort();
  lifetime = new AbortController();
});

it("finds no notebook where no plugin provides one", () => {
  expect(pageNotebooks()).toBeNull();
});

it("finds what another copy of the module has provided, until it ends", () => {
  const notebook = new FakeNotebook();
  provideNotebooks(notebook, lifetime.signal);
  expect(pageNotebooks()).toBe(notebook);
  expect((globalThis as Record<symbol, unknown>)[KEY]).toBe(notebook);
  lifetime.abort();
  expect(pageNotebooks()).toBeNull();
});

it("leaves alone what was provided after it", () => {
  const later = new FakeNotebook();
  provideNotebooks(new FakeNotebook(), lifetime.signal);
  const second = new AbortController();
  provideNotebooks(later, second.signal);
  lifetime.abort();
  expect(pageNotebooks()).toBe(later);
  second.abort();
});
