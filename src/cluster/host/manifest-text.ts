import { dump, load } from 'js-yaml';

/** As kubeadm writes a static pod's file. */
export const writeManifest = (pod: unknown): string => dump(pod, { lineWidth: -1, noRefs: true, sortKeys: true, seqNoIndent: true });

/** Throws what is wrong with the text. */
export const readManifest = (text: string): unknown => load(text);
