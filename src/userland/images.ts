// Container images: what `docker pull` would bring, as rows. References are read as Docker reads them (distribution/reference v0.6).
import type { Program } from '../linux/types.ts';
import { ADDON_IMAGES } from './images/addons.ts';
import { BASE_IMAGES, debianImage } from './images/base.ts';
import { SERVER_IMAGES } from './images/servers.ts';
import type { Image, ImageRow, Reference } from './images/types.ts';
import { SCRATCH } from './userland.ts';

export { buildRootfs } from './images/rootfs.ts';
export type { Image, ImageRow, Reference } from './images/types.ts';

const ROWS: ImageRow[] = [...ADDON_IMAGES, ...BASE_IMAGES, ...SERVER_IMAGES];

/** `nginx` -> docker.io/library/nginx:latest. null: InvalidImageName. */
export function parseReference(text: string): Reference | null {
  const m =
    /^([^@]*?)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$/.exec(
      text,
    );
  if (!m) return null;
  const parts = m[1].split('/');
  let registry = 'docker.io';
  if (parts.length > 1 && (/[.:]/.test(parts[0]) || parts[0] === 'localhost')) registry = parts.shift() as string;
  if (!parts.length || parts.some(part => !/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/.test(part))) return null;
  if (registry === 'docker.io' && parts.length === 1) parts.unshift('library');
  if (registry === 'index.docker.io') registry = 'docker.io';
  return { registry, repository: parts.join('/'), tag: m[2] ?? (m[3] ? '' : 'latest'), digest: m[3] ?? null };
}

/** Mirrors carry the same images under a longer name. */
function canonicalRepository(ref: Reference): string {
  if (ref.registry === 'public.ecr.aws') return ref.repository.replace(/^docker\//, '').replace(/^nginx\//, 'library/');
  if (ref.registry === 'docker.io' || ref.registry === 'mirror.gcr.io') return ref.repository;
  const registry = ref.registry === 'k8s.gcr.io' || ref.registry === 'us.gcr.io' ? 'registry.k8s.io' : ref.registry;
  return `${registry}/${ref.repository.replace(/^(google[-_]containers|kubernetes-e2e-test-images)\//, '')}`;
}

const found = new Map<string, Image | null>();

/** The image a reference names, or null: not in the table (see unknownImage), or a tag that was never pushed (see missingPart). */
export function findImage(ref: string): Image | null {
  const known = found.get(ref);
  if (known !== undefined) return known;
  const parsed = parseReference(ref);
  const repository = parsed ? canonicalRepository(parsed) : '';
  const row = ROWS.find(r => (typeof r.match === 'string' ? r.match === repository : r.match.test(repository)));
  const image = parsed && row && (!parsed.tag || !row.tags || row.tags.test(parsed.tag)) ? row.make(parsed) : null;
  found.set(ref, image);
  return image;
}

/** Nobody can know what registries hold; a name that says of itself that it leads nowhere, as in lessons about ImagePullBackOff, is believed. */
const NOWHERE = /no-?such|(non|not|nt)-?exist|invalid|not-?found|imaginary|\bbogus\b/i;
/** What RFC 2606 reserves resolves nowhere. */
const RESERVED = /(^|\.)(example\.(com|org|net)|example|invalid|test)(:\d+)?$/;

/** Kubernetes' own registry is known where a manifest of the control plane reaches for it: these names, and releases for tags. */
const KUBE = /^registry\.k8s\.io\/(kube-[^/]*)$/;
const KUBE_NAMES =
  /^kube-(apiserver|controller-manager|scheduler|proxy|cross|addon-manager|registry-proxy)(-(amd64|arm64|arm|ppc64le|s390x))?$/;
const KUBE_TAG = /^v1\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?$/;

/** What a registry has not got of this reference; null: it can be pulled. A registry itself may not be there. */
export function missingPart(ref: string): 'registry' | 'repository' | 'tag' | null {
  const parsed = parseReference(ref);
  if (!parsed || RESERVED.test(parsed.registry) || NOWHERE.test(parsed.registry)) return 'registry';
  if (NOWHERE.test(parsed.repository)) return 'repository';
  if (NOWHERE.test(parsed.tag)) return 'tag';
  const repository = canonicalRepository(parsed);
  const kube = KUBE.exec(repository)?.[1];
  if (kube && !KUBE_NAMES.test(kube)) return 'repository';
  if (kube && parsed.tag && !KUBE_TAG.test(parsed.tag)) return 'tag';
  const row = ROWS.find(r => (typeof r.match === 'string' ? r.match === repository : r.match.test(repository)));
  return !row?.tags || !parsed.tag || row.tags.test(parsed.tag) ? null : 'tag';
}

/**
 * What stands for an image that the table does not have: it listens on `ports` (TCP) and answers every HTTP request with one line of
 * text that names the pod and the port; without ports it sleeps. `program` is the server, given by who composes (servers/unknown.ts).
 */
export function unknownImage(ref: string, ports: number[], program: (ports: number[]) => Program): Image {
  return {
    name: ref,
    userland: SCRATCH,
    user: '',
    workdir: '/',
    env: {},
    entrypoint: ['/app'],
    cmd: [],
    ports,
    packages: ['busybox'],
    files: {},
    sizeBytes: 10_000_000,
    programs: { '/app': program(ports) },
    waits: true,
  };
}

/** A machine's own root: Debian with every tool that an administrator would have installed. */
export const machineImage = (tools: 11 | 12 | 13): Image =>
  debianImage({ registry: 'docker.io', repository: 'library/debian', tag: String(tools), digest: null });
