// The shells' options by name, in the order in which each prints them.
import type { ShellKind } from './types.ts';

/** Names of `set -o` and the letter or key under which an option is kept. */
export const LONG_OPTIONS: Record<string, string> = {
  allexport: 'a',
  braceexpand: 'B',
  debug: 'debug',
  emacs: 'emacs',
  errexit: 'e',
  errtrace: 'E',
  functrace: 'T',
  hashall: 'h',
  histexpand: 'H',
  history: 'history',
  ignoreeof: 'ignoreeof',
  interactive: 'i',
  'interactive-comments': 'interactive-comments',
  keyword: 'k',
  monitor: 'm',
  noclobber: 'C',
  noexec: 'n',
  noglob: 'f',
  nolog: 'nolog',
  notify: 'b',
  nounset: 'u',
  onecmd: 't',
  physical: 'P',
  pipefail: 'pipefail',
  posix: 'posix',
  privileged: 'p',
  stdin: 's',
  verbose: 'v',
  vi: 'vi',
  xtrace: 'x',
};

const words = (text: string) => text.trim().split(/\s+/);

/** bash 5.2 builtins/set.def, dash 0.5.12 src/options.c, BusyBox 1.35 shell/ash.c. */
const ORDER: Record<'bash' | 'dash' | 'ash', string[]> = {
  bash: words(`allexport braceexpand emacs errexit errtrace functrace hashall histexpand history ignoreeof interactive-comments keyword
    monitor noclobber noexec noglob nolog notify nounset onecmd physical pipefail posix privileged verbose vi xtrace`),
  dash: words(`errexit noglob ignoreeof interactive monitor noexec stdin xtrace verbose vi emacs noclobber allexport notify nounset
    privileged nolog debug`),
  ash: words('errexit noglob ignoreeof monitor noexec xtrace verbose noclobber allexport notify nounset errtrace vi pipefail'),
};

export const optionNames = (kind: ShellKind): string[] => ORDER[kind === 'zsh' ? 'bash' : kind];

/** What `set -o NAME` changes, or undefined: this shell has no such option. */
export const optionKey = (kind: ShellKind, name: string): string | undefined =>
  optionNames(kind).includes(name) ? LONG_OPTIONS[name] : undefined;

/** bash 5.2 builtins/shopt.def, in its order; those that are on at first have a plus. */
const SHOPTS = words(`autocd assoc_expand_once cdable_vars cdspell checkhash checkjobs +checkwinsize +cmdhist compat31 compat32 compat40
  compat41 compat42 compat43 compat44 +complete_fullquote direxpand dirspell dotglob execfail expand_aliases extdebug extglob +extquote
  failglob +force_fignore +globasciiranges +globskipdots globstar gnu_errfmt histappend histreedit histverify +hostcomplete huponexit
  inherit_errexit +interactive_comments lastpipe lithist localvar_inherit localvar_unset login_shell mailwarn no_empty_cmd_completion
  nocaseglob nocasematch noexpand_translation nullglob +patsub_replacement +progcomp progcomp_alias +promptvars restricted_shell
  shift_verbose +sourcepath varredir_close xpg_echo`);

export const SHOPT_NAMES: string[] = SHOPTS.map(s => s.replace('+', ''));
export const SHOPT_DEFAULTS: string[] = SHOPTS.filter(s => s.startsWith('+')).map(s => s.slice(1));
