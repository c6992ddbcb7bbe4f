// Parts that only some command lines need; main.ts loads them before the command runs.

interface Parts {
  manifest: typeof import('./manifest.ts');
  places: typeof import('./manifest-place.ts');
  kustomize: typeof import('./kustomize.ts');
  yaml: typeof import('./yaml-write.ts');
  jsonpath: typeof import('./jsonpath.ts');
  template: typeof import('./go-template.ts');
  columns: typeof import('./custom-columns.ts');
  help: typeof import('./help/print.ts');
  sort: typeof import('./sort.ts');
  raw: typeof import('./raw.ts');
  typed: typeof import('./typed-json.ts');
  kyaml: typeof import('./kyaml.ts');
  kuberc: typeof import('./kuberc.ts');
}

const LOADERS: { [K in keyof Parts]: () => Promise<Parts[K]> } = {
  manifest: () => import('./manifest.ts'),
  places: () => import('./manifest-place.ts'),
  kustomize: () => import('./kustomize.ts'),
  yaml: () => import('./yaml-write.ts'),
  jsonpath: () => import('./jsonpath.ts'),
  template: () => import('./go-template.ts'),
  columns: () => import('./custom-columns.ts'),
  help: () => import('./help/print.ts'),
  sort: () => import('./sort.ts'),
  raw: () => import('./raw.ts'),
  typed: () => import('./typed-json.ts'),
  kyaml: () => import('./kyaml.ts'),
  kuberc: () => import('./kuberc.ts'),
};

export type PartName = keyof Parts;

export const PART_NAMES = Object.keys(LOADERS) as PartName[];

const loaded: Partial<Parts> = {};

export async function loadPart<K extends PartName>(name: K): Promise<void> {
  loaded[name] ??= await LOADERS[name]();
}

/** A part that has been loaded; asking for another is a bug in what main.ts foresees. */
export function lazy<K extends PartName>(name: K): Parts[K] {
  const part = loaded[name];
  if (!part) throw new Error(`kubectl: ${name} was not loaded`);
  return part;
}
