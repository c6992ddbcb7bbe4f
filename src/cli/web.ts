// What kubectl gets for a URL: there is no internet, but podnet has the manifests of its add-ons and its CNIs.
import { addonAt } from '../addons/table.ts';
import type { KubeObject } from '../apiserver/types.ts';

/** Where the CNIs' own manifests lie, of whatever release. */
const CNIS: [RegExp, string][] = [
  [/(projectcalico|tigera)[^/]*\/.*\bmanifests\/calico(-typha)?\.yaml$/, 'calico'],
  [/\/flannel\/.*\bkube-flannel\.ya?ml$/, 'flannel'],
];

async function objectsAt(url: string): Promise<KubeObject[] | null> {
  const addon = addonAt(url);
  if (addon) return addon.manifest(url);
  const cni = CNIS.find(([where]) => where.test(url))?.[1];
  return cni ? (await import('../cluster/cni-manifests.ts')).officialManifest(cni) : null;
}

/** The manifests behind these words of a command line, loaded. -> the text at a URL, or null */
export async function webOf(words: string[]): Promise<(url: string) => string | null> {
  const pages = new Map<string, string>();
  for (const word of words) {
    const url = /https?:\/\/\S+|^github\.com\/\S+/.exec(word)?.[0];
    const objects = url ? await objectsAt(url) : null;
    if (url && objects) pages.set(url, objects.map(o => `${JSON.stringify(o)}\n`).join('---\n'));
  }
  return url => pages.get(url) ?? null;
}
