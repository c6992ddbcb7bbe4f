// What kubectl gets for a URL: there is no internet, but podnet has the manifests of its add-ons.
import { addonAt } from '../addons/table.ts';

/** The manifests behind these words of a command line, loaded. -> the text at a URL, or null */
export async function webOf(words: string[]): Promise<(url: string) => string | null> {
  const pages = new Map<string, string>();
  for (const word of words) {
    const url = /https?:\/\/\S+|^github\.com\/\S+/.exec(word)?.[0];
    const addon = url ? addonAt(url) : null;
    if (url && addon) pages.set(url, (await addon.manifest(url)).map(o => `${JSON.stringify(o)}\n`).join('---\n'));
  }
  return url => pages.get(url) ?? null;
}
