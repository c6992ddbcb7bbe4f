// Which kuberc a command line means (k8s.io/kubectl v0.36.3, pkg/kuberc/kuberc.go). What it does to the line is loaded only where there is one.

import { exitFailure, failure } from './failure.ts';
import { gateIs } from './flags.ts';
import type { FileError, KubectlHost } from './host.ts';
import { lazy, loadPart } from './lazy.ts';

export interface PreferencesIo {
  env: KubectlHost['env'];
  readFile: KubectlHost['readFile'];
  /** Standard error. */
  warn: (text: string) => void;
}

export interface KubercFile {
  path: string;
  /** Named by --kuberc or $KUBERC: it has to be there. */
  explicit: boolean;
  data: Uint8Array | FileError;
}

/** `why` as kubectl says it before any command is looked at. */
export const preferencesFailure = (why: string) => exitFailure(1, `error occurred while applying preferences ${why}`);

/** LoadKuberc. null: switched off. */
export function kubercPath(env: KubectlHost['env'], flag: string): { path: string; explicit: boolean } | null {
  if (env.KUBERC === 'off') {
    if (flag) throw failure('disabling kuberc via KUBERC=off and passing kuberc flag are mutually exclusive');
    return null;
  }
  const recommended = env.HOME ? `${env.HOME.replace(/\/$/, '')}/.kube/kuberc` : '.kube/kuberc';
  const path = flag || recommended;
  if (path === recommended && env.KUBERC) return { path: env.KUBERC, explicit: true };
  return { path, explicit: flag !== '' };
}

/** --kuberc is looked for before flags are parsed. */
function flagOf(argv: string[]): string {
  for (const [i, word] of argv.entries()) {
    if (word === '--') break;
    let value: string | undefined;
    if (word === '--kuberc') value = argv[i + 1];
    else if (word.includes('--kuberc=')) value = word.split('=')[1];
    else continue;
    if (!value && word !== '--kuberc') throw preferencesFailure('kuberc file is not found');
    if (value === undefined) throw preferencesFailure('kuberc file is not found');
    return value;
  }
  return '';
}

function kubercOf(argv: string[], io: PreferencesIo): KubercFile | null {
  if (!argv.length || gateIs(io.env, 'KUBECTL_KUBERC', 'false')) return null;
  const flag = flagOf(argv);
  let found: ReturnType<typeof kubercPath>;
  try {
    found = kubercPath(io.env, flag);
  } catch (e) {
    throw preferencesFailure(`kuberc error ${(e as { message: string }).message}`);
  }
  if (!found) return null;
  const data = io.readFile(found.path);
  return data === 'ENOENT' && !found.explicit ? null : { ...found, data };
}

/** The command line with the user's aliases and defaults in it; throws a Failure. */
export async function withPreferences(argv: string[], io: PreferencesIo): Promise<string[]> {
  const file = kubercOf(argv, io);
  if (!file) return argv;
  await loadPart('kuberc');
  return lazy('kuberc').applyPreferences(argv, file, io);
}

/** The same where every part is loaded. */
export function withLoadedPreferences(argv: string[], io: PreferencesIo): string[] {
  const file = kubercOf(argv, io);
  return file ? lazy('kuberc').applyPreferences(argv, file, io) : argv;
}
