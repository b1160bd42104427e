import { describe, expect, it, vi } from "vitest";
import { container, newer, singleton, type Shared } from "../../src/lab/federation.ts";

const shared = (value: unknown, rest: Partial<Shared> = {}): Shared => ({ get: async () => () => value, ...rest });
const style = async (): Promise<void> => undefined;

describe("the version that is taken", () => {
  it("is the newest", () => {
    const versions = { "4.6.9": shared(1), "4.10.0": shared(2), "4.10.0-rc.1": shared(3) };
    expect(singleton(versions)).toBe(versions["4.10.0"]);
  });

  it("is the one in use, even if a newer one came later", () => {
    const versions = { "4.4.0": shared(1), "4.5.0": shared(2, { loaded: 1 }), "4.6.0": shared(3) };
    expect(singleton(versions)).toBe(versions["4.5.0"]);
  });

  it("is none where there is none", () => {
    expect(singleton({})).toBeUndefined();
  });

  it.each([
    ["4.10.0", "4.9.9"],
    ["2.0.0", "2.0.0-beta.4"],
    ["2.0.0-beta.10", "2.0.0-beta.9"],
    ["1.0.1+build", "1.0.0"],
  ])("%s is newer than %s, and not the other way round", (one, other) => {
    expect(newer(one, other)).toBe(true);
    expect(newer(other, one)).toBe(false);
    expect(newer(one, one)).toBe(false);
  });
});

describe("the container", () => {
  it("runs the plugin once, with the page's packages, when it is asked for", async () => {
    const body = vi.fn((require: (name: string) => unknown, module: { exports: unknown }) => {
      module.exports = { default: [require("@lumino/widgets"), require("@jupyterlab/notebook")] };
    });
    const made = container("x", ["@lumino/widgets", "@jupyterlab/notebook"], body, style);
    made.init({ "@lumino/widgets": { "2.0.0": shared("widgets") }, "@jupyterlab/notebook": { "4.6.0": { get: () => () => "notebook" } } });
    expect(body).not.toHaveBeenCalled();
    const extension = (await made.get("./extension"))() as { __esModule: boolean; default: unknown };
    expect(Object.hasOwn(extension, "__esModule")).toBe(true);
    expect(extension.default).toEqual(["widgets", "notebook"]);
    // JupyterLab writes its scope on it.
    (extension as { __scope__?: string }).__scope__ = "x";
    expect((await made.get("./extension"))()).toBe(extension);
    expect(body).toHaveBeenCalledTimes(1);
  });

  it("says which package a page lacks", async () => {
    const made = container("x", ["@jupyterlab/notebook"], () => undefined, style);
    made.init({});
    await expect(made.get("./extension")).rejects.toThrow("x needs @jupyterlab/notebook, which this page does not have");
  });

  it("loads its style sheet, and has nothing else", async () => {
    const loaded = vi.fn(style);
    const made = container("x", [], () => undefined, loaded);
    await made.get("./style");
    expect(loaded).toHaveBeenCalledTimes(1);
    await expect(made.get("./other")).rejects.toThrow("x has no module ./other");
  });
});
