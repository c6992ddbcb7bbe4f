/**
 * A process's environment over a shared layer that is never written: a thousand pods see the same hundreds of Service variables, and
 * copying them for each process is what costs.
 */
export class LayeredEnv extends Map<string, string> {
  private readonly under: ReadonlyMap<string, string>;
  private readonly own = new Map<string, string>();
  private readonly gone = new Set<string>();

  constructor(under: ReadonlyMap<string, string>, own: Iterable<[string, string]> = []) {
    super();
    this.under = under;
    for (const [k, v] of own) this.own.set(k, v);
  }

  copy(): LayeredEnv {
    const env = new LayeredEnv(this.under, this.own);
    for (const k of this.gone) env.gone.add(k);
    return env;
  }

  override get(key: string): string | undefined {
    const own = this.own.get(key);
    return own !== undefined || this.gone.has(key) ? own : this.under.get(key);
  }

  override has(key: string): boolean {
    return this.own.has(key) || (!this.gone.has(key) && this.under.has(key));
  }

  override set(key: string, value: string): this {
    this.own.set(key, value);
    return this;
  }

  override delete(key: string): boolean {
    const had = this.has(key);
    this.own.delete(key);
    if (this.under.has(key)) this.gone.add(key);
    return had;
  }

  override clear(): void {
    this.own.clear();
    for (const k of this.under.keys()) this.gone.add(k);
  }

  override get size(): number {
    let n = this.own.size;
    for (const k of this.under.keys()) if (!this.own.has(k) && !this.gone.has(k)) n++;
    return n;
  }

  private *pairs(): Generator<[string, string], undefined, undefined> {
    yield* this.own;
    for (const [k, v] of this.under) if (!this.own.has(k) && !this.gone.has(k)) yield [k, v];
    return undefined;
  }

  override entries(): MapIterator<[string, string]> {
    return this.pairs() as unknown as MapIterator<[string, string]>;
  }

  override [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  override keys(): MapIterator<string> {
    return [...this.pairs()].map(p => p[0])[Symbol.iterator]() as unknown as MapIterator<string>;
  }

  override values(): MapIterator<string> {
    return [...this.pairs()].map(p => p[1])[Symbol.iterator]() as unknown as MapIterator<string>;
  }

  override forEach(callback: (value: string, key: string, map: Map<string, string>) => void): void {
    for (const [k, v] of this.pairs()) callback(v, k, this);
  }
}

/** An environment of a new process: its own to change. */
export const copyEnv = (env: Map<string, string>): Map<string, string> => (env instanceof LayeredEnv ? env.copy() : new Map(env));
