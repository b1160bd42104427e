/** Runs of backticks: which one closes another is known without looking through the text for each. */

export class Ticks {
  /** By length, their places, the last one first. */
  readonly #places = new Map<number, number[]>();

  constructor(text: string, from: number, end: number) {
    const runs = /`+/g;
    runs.lastIndex = from;
    for (let found = runs.exec(text); found !== null && found.index < end; found = runs.exec(text)) {
      const length = Math.min(found[0].length, end - found.index);
      const places = this.#places.get(length);
      if (places) places.push(found.index);
      else this.#places.set(length, [found.index]);
    }
    for (const places of this.#places.values()) places.reverse();
  }

  /** The first run of this length from here on. Ask in the order of the text. */
  closing(length: number, from: number): number | null {
    const places = this.#places.get(length);
    while (places?.length && (places.at(-1) ?? 0) < from) places.pop();
    return places?.at(-1) ?? null;
  }
}
