// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text
import { describe, expect, it } from 'vitest';
import { runIn } from '../container.ts';

// Recorded with the real ones of Debian 12: script, exit code, stdout, stderr.
describe("dash's words", () => {
  it.each<[string, number, string, string, string?]>([
    ['set -e; false | true; echo ok; set -u; echo ${x:-d}; (echo $y); echo rc $?', 2, 'ok\nd\n', 'sh: 1: y: parameter not set\n'],
    [
      'f() { local a=1; echo "$a $# $*"; return 4; }; f x y; echo $?; unset -f f; f; echo $?',
      0,
      '1 2 x y\n4\n127\n',
      'sh: 1: f: not found\n',
    ],
    ['while getopts ab:c o -a -b x -z; do echo "$o $OPTARG"; done; echo $OPTIND', 0, 'a \nb x\n? \n5\n', 'Illegal option -z\n'],
    ["echo -n a; echo -e 'a\\tb'; echo 'a\\tb'; echo -E x; echo --; echo \"a\\nb\"", 0, 'a-e a\tb\na\tb\n-E x\n--\na\nb\n', ''],
    [
      'x=a.b.c; echo ${x#*.} ${x##*.} ${x%.*} ${x%%.*} ${#x} ${x:-y} ${x:+z} ${u=set} $u; echo ${nope?}; echo no',
      2,
      'b.c c a.b a 5 a.b.c z set set\n',
      'sh: 1: nope: parameter not set\n',
    ],
    [
      'case abc in a*|b) echo 1;; *) echo 2;; esac; case "" in "") echo empty;; esac; case [ in \\[) echo br;; esac',
      0,
      '1\nempty\nbr\n',
      '',
    ],
    [
      'i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i = 2 ] && continue; echo $i; done; until false; do break; done; for a in 1 2; do for b in x y; do continue 2; done; done; echo $a$b',
      0,
      '1\n3\n2x\n',
      '',
    ],
    ["cat <<E | tr a-z A-Z\nhi $((1+2)) `echo x` \\$z\nE\ncat <<'E'\n$raw\nE", 0, 'HI 3 X $Z\n$raw\n', ''],
    [
      'read a b <<E\none two three\nE\necho "$b"; echo \'x y\' | while read p q; do echo "$q-$p"; done; IFS=: read u v < /etc/passwd; echo $u; read -r z <<E\na\\b\nE\necho "$z"; printf \'no newline\' | { read n; echo "$? $n"; }',
      0,
      'two three\ny-x\nroot\na\b\n1 no newline\n',
      '',
    ],
    [
      "trap 'echo bye $?' EXIT; trap 'echo t' TERM; kill -TERM $$; (exit 3); trap; exit 2",
      2,
      "t\ntrap -- 'echo bye $?' EXIT\ntrap -- 'echo t' TERM\nbye 2\n",
      '',
    ],
    [
      '[ -f /etc/passwd ] && echo f; [ -d /etc -a ! -e /nope ] && echo d; [ 1 -lt x ]; echo $?; [ a = ; echo $?; test; echo $?; [ "a" == "a" ] && echo eq; [ ! a ]; echo $?; [ -z "" -o b ] && echo or',
      0,
      'f\nd\n2\n2\n1\n1\nor\n',
      'sh: 1: [: Illegal number: x\nsh: 1: [: missing ]\nsh: 1: [: a: unexpected operator\n',
    ],
    [
      'set -- a \'b c\' d; for x; do echo "<$x>"; done; shift 2; echo "$@" $#; set --; echo $#; shift; echo no',
      2,
      '<a>\n<b c>\n<d>\nd 1\n0\n',
      "sh: 1: shift: can't shift that many\n",
    ],
    [
      'echo $((7/2)) $((-7%3)) $((1<<3)) $((2>1)) $((!0)) $((x=5)) $x $((x+=2)) $((x==7?1:0)); echo $((1/0)); echo no',
      2,
      '3 -1 8 1 1 5 5 7 1\n',
      'sh: 1: arithmetic expression: division by zero: "1/0"\n',
    ],
    ['echo $((08)); echo after', 2, '', 'sh: 1: arithmetic expression: expecting EOF: "08"\n'],
    [
      'nosuch; echo $?; /nope; echo $?; /tmp; echo $?; . /nope; echo no',
      2,
      '127\n127\n126\n',
      'sh: 1: nosuch: not found\nsh: 1: /nope: not found\nsh: 1: /tmp: Permission denied\nsh: 1: .: cannot open /nope: No such file\n',
    ],
    [
      "alias ll='echo LL'; ll x; alias; unalias ll; type ls; type cd; type nope; command -v cd ls nope; command nope; echo $?; type if",
      0,
      "ll='echo LL'\nls is /usr/bin/ls\ncd is a shell builtin\nnope: not found\ncd\n127\nif is a shell keyword\n",
      'sh: 1: ll: not found\nsh: 1: nope: not found\n',
    ],
    [
      'exec 3>f; echo x >&3; exec 3>&-; cat f; echo y >&3; echo $?; cat < nope; echo $?; : > /nope/x; echo no',
      2,
      'x\n2\n2\n',
      'sh: 1: 3: Bad file descriptor\nsh: 1: cannot open nope: No such file\nsh: 1: cannot create /nope/x: Directory nonexistent\n',
    ],
    [
      'set -x; a=1; echo "$a b" \'c d\'; [ a = b ]; for i in 1; do :; done; x=$(echo hi)',
      0,
      '1 b c d\n',
      '+ a=1\n+ echo 1 b c d\n+ [ a = b ]\n+ :\n+ echo hi\n+ x=hi\n',
    ],
    [
      'umask; umask 022; umask -S; ulimit -n >/dev/null; echo $?; times >/dev/null; hash; hash nope; echo $?',
      0,
      '0022\nu=rwx,g=rx,o=rx\n0\n1\n',
      'sh: 1: hash: nope: not found\n',
    ],
    ["export A=1; export -p | grep ' A='; readonly R=1; R=2; echo no", 2, "export A='1'\n", 'sh: 1: R: is read only\n'],
    [
      "eval 'echo a; false'; echo $?; eval 'if'; echo no",
      2,
      'a\n1\n',
      'sh: 1: eval: Syntax error: end of file unexpected (expecting "then")\n',
    ],
    ['if true', 2, '', 'sh: 1: Syntax error: end of file unexpected (expecting "then")\n'],
    ['echo "x', 2, '', 'sh: 1: Syntax error: Unterminated quoted string\n'],
    [
      'echo `echo a; echo b` "$(echo \'c\nd\')"; echo $(nosuch); echo $?; x=$(exit 3); echo $?',
      0,
      'a b c\nd\n\n0\n3\n',
      'sh: 2: nosuch: not found\n',
    ],
    ['a=(1 2); echo no', 2, '', 'sh: 1: Syntax error: "(" unexpected\n'],
    ['function foo { echo foo; }; foo; foo() { echo bar; }; foo', 2, '', 'sh: 1: Syntax error: "}" unexpected\n'],
    [
      'echo {a,b} {1..3}; echo ${x:1:2}; y=hello; echo ${y:1:2} ${y/l/L} ${y//l/L} ${y^}; echo no',
      2,
      '{a,b} {1..3}\n',
      'sh: 1: Bad substitution\n',
    ],
    [
      "cat <<< hi; diff <(echo a) <(echo a); echo &> both; cat both; echo $RANDOM >/dev/null; echo $'a\\tb'; let x=1; source /dev/null; echo end",
      2,
      '',
      'sh: 1: Syntax error: redirection unexpected\n',
    ],
    ['set -o pipefail; false | true; echo $?; set -o nope; echo no', 2, '', 'sh: 1: set: Illegal option -o pipefail\n'],
    ['return 3; echo after', 3, '', ''],
    ['break; echo after; continue; echo c; exit abc; echo no', 2, 'after\nc\n', 'sh: 1: exit: Illegal number: abc\n'],
    [
      'kill -l | head -1; kill -l 9; kill 99999; echo $?; kill abc; echo $?; kill; echo $?; kill -NOPE 1; echo $?',
      0,
      '0\nKILL\n1\n2\n2\n2\n',
      'sh: 1: kill: No such process\n\nsh: 1: kill: Illegal number: abc\nsh: 1: kill: Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]\nsh: 1: kill: Illegal option -N\n',
    ],
    ['time true 2>/dev/null; echo $LINENO $PPID >/dev/null; echo $0 $- ; echo "$PS1$PS2$PS4$OPTIND$IFS"', 0, 'sh\n# > + 1 \t\n\n', ''],
    ['local x=1; echo no', 2, '', 'sh: 1: local: not in a function\n'],
    [
      'f() { f2; echo "in f"; }; f2() { return 1; }; f && echo yes; g() { exit 3; }; (g); echo $?; h() ( echo sub; exit 2 ); h; echo $?',
      0,
      'in f\nyes\n3\nsub\n2\n',
      '',
    ],
    [
      'x=\'a b  c\'; set -- $x; echo $#; IFS=,; y=a,b,,c; set -- $y; echo $#; for i in $y; do echo "[$i]"; done; unset IFS; set -f; echo *; set +f; touch q; echo q*',
      0,
      '3\n4\n[a]\n[b]\n[]\n[c]\n*\nq\n',
      '',
    ],
    [
      'printf \'a b\\n\' | while read x y; do echo $y; z=1; done; echo "[$z]"; { echo g; } > o; cat o; ! true; echo $?; true && false || echo or; (exit 7) || echo $?',
      0,
      'b\n[]\ng\n1\nor\n7\n',
      '',
    ],
  ])('%s', (script, code, out, err, stdin) => {
    expect(runIn('debian:12', ['sh', '-c', script], { stdin, cwd: '/tmp' })).toMatchObject({ code, out, err });
  });
});
