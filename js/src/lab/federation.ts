/** The container that JupyterLab loads a prebuilt extension from: webpack's module federation, as far as JupyterLab uses it. */

/** What a page shares: by package, by version. */
export type ShareScope = Readonly<Record<string, Readonly<Record<string, Shared>>>>;

export interface Shared {
  /** Whether somebody uses this version already. */
  readonly loaded?: unknown;
  get(): (() => unknown) | Promise<() => unknown>;
}

/** A CommonJS module's body. */
export type Body = (require: (name: string) => unknown, module: { exports: unknown }) => void;

export interface Container {
  init(scope: ShareScope): void;
  get(name: string): Promise<() => unknown>;
}

/** The version that webpack takes of a package that a page has once: the newest, unless an earlier one is in use. */
export function singleton(versions: Readonly<Record<string, Shared>>): Shared | undefined {
  const [first, ...rest] = Object.keys(versions);
  const best = rest.reduce(
    (one, other) => (one !== undefined && !versions[one]?.loaded && newer(other, one) ? other : one),
    first,
  );
  return best === undefined ? undefined : versions[best];
}

/** Whether one version comes after another; a pre-release comes before its release. */
export function newer(one: string, other: string): boolean {
  const [a, b] = [ordered(one), ordered(other)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (a.numbers[index] ?? 0) - (b.numbers[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  if (a.pre === "" || b.pre === "") return a.pre === "" && b.pre !== "";
  return a.pre.localeCompare(b.pre, "en", { numeric: true }) > 0;
}

function ordered(version: string): { readonly numbers: readonly number[]; readonly pre: string } {
  const [release = "", ...pre] = (version.split("+")[0] ?? "").split("-");
  return { numbers: release.split(".").map((part) => Number.parseInt(part, 10) || 0), pre: pre.join("-") };
}

/** A container whose module `./extension` runs with the page's packages `needs`, and whose `./style` is a style sheet. */
export function container(name: string, needs: readonly string[], body: Body, style: () => Promise<void>): Container {
  let scope: ShareScope | undefined;
  let made: Promise<unknown> | undefined;

  const make = async (): Promise<unknown> => {
    const shared = scope;
    if (shared === undefined) throw new Error(`${name}: the page has not said what it shares.`);
    const found = await Promise.all(
      needs.map(async (need) => {
        const version = singleton(shared[need] ?? {});
        if (version === undefined) throw new Error(`${name} needs ${need}, which this page does not have. It is made for JupyterLab 4 and Notebook 7.`);
        return [need, (await version.get())()] as const;
      }),
    );
    const packages = new Map(found);
    const module = { exports: {} as unknown };
    body((need) => {
      if (!packages.has(need)) throw new Error(`${name} uses ${need} and has not asked for it.`);
      return packages.get(need);
    }, module);
    // JupyterLab writes on it, and takes `default` where it finds this mark.
    return { __esModule: true, default: (module.exports as { default: unknown }).default };
  };

  return {
    init(shared) {
      scope = shared;
    },
    async get(path) {
      if (path === "./style") {
        await style();
        return () => ({});
      }
      if (path !== "./extension") throw new Error(`${name} has no module ${path}.`);
      made ??= make();
      const extension = await made;
      return () => extension;
    },
  };
}
