// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text
import { describe, expect, it } from 'vitest';
import { runIn } from '../container.ts';

// Recorded with BusyBox 1.35: script, exit code, stdout, stderr.
describe("BusyBox ash's words", () => {
  it.each<[string, number, string, string, string?]>([
    ['set -e; false | true; echo ok; set -u; echo ${x:-d}; (echo $y); echo rc $?', 2, 'ok\nd\n', 'sh: y: parameter not set\n'],
    ['f() { local a=1; echo "$a $# $*"; return 4; }; f x y; echo $?; unset -f f; f; echo $?', 0, '1 2 x y\n4\n127\n', 'sh: f: not found\n'],
    ['while getopts ab:c o -a -b x -z; do echo "$o $OPTARG"; done; echo $OPTIND', 0, 'a \nb x\n? \n5\n', 'Illegal option -z\n'],
    ["echo -n a; echo -e 'a\\tb'; echo 'a\\tb'; echo -E x; echo --; echo \"a\\nb\"", 0, 'aa\tb\na\\tb\nx\n--\na\\nb\n', ''],
    [
      'x=a.b.c; echo ${x#*.} ${x##*.} ${x%.*} ${x%%.*} ${#x} ${x:-y} ${x:+z} ${u=set} $u; echo ${nope?}; echo no',
      2,
      'b.c c a.b a 5 a.b.c z set set\n',
      'sh: nope: parameter not set\n',
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
      'two three\ny-x\nroot\na\\b\n1 no newline\n',
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
      'f\nd\n2\n2\n1\neq\n1\nor\n',
      'sh: x: bad number\nsh: missing ]\n',
    ],
    [
      'set -- a \'b c\' d; for x; do echo "<$x>"; done; shift 2; echo "$@" $#; set --; echo $#; shift; echo no',
      0,
      '<a>\n<b c>\n<d>\nd 1\n0\nno\n',
      '',
    ],
    [
      'echo $((7/2)) $((-7%3)) $((1<<3)) $((2>1)) $((!0)) $((x=5)) $x $((x+=2)) $((x==7?1:0)); echo $((1/0)); echo no',
      2,
      '3 -1 8 1 1 5 5 7 1\n',
      'sh: divide by zero\n',
    ],
    ['echo $((08)); echo after', 2, '', 'sh: arithmetic syntax error\n'],
    [
      'nosuch; echo $?; /nope; echo $?; /tmp; echo $?; . /nope; echo no',
      2,
      '127\n127\n126\n',
      "sh: nosuch: not found\nsh: /nope: not found\nsh: /tmp: Permission denied\nsh: .: line 0: can't open '/nope': No such file or directory\n",
    ],
    [
      'exec 3>f; echo x >&3; exec 3>&-; cat f; echo y >&3; echo $?; cat < nope; echo $?; : > /nope/x; echo no',
      1,
      'x\n1\n1\n',
      "sh: 3: Bad file descriptor\nsh: can't open nope: no such file\nsh: can't create /nope/x: nonexistent directory\n",
    ],
    [
      'set -x; a=1; echo "$a b" \'c d\'; [ a = b ]; for i in 1; do :; done; x=$(echo hi)',
      0,
      '1 b c d\n',
      "+ a=1\n+ echo '1 b' 'c d'\n+ '[' a '=' b ]\n+ :\n+ echo hi\n+ x=hi\n",
    ],
    [
      'umask; umask 022; umask -S; ulimit -n >/dev/null; echo $?; times >/dev/null; hash; hash nope; echo $?',
      0,
      '0022\nu=rwx,g=rx,o=rx\n0\n1\n',
      'sh: hash: line 0: nope: not found\n',
    ],
    ["export A=1; export -p | grep ' A='; readonly R=1; R=2; echo no", 2, "export A='1'\n", 'sh: R: is read only\n'],
    [
      "eval 'echo a; false'; echo $?; eval 'if'; echo no",
      2,
      'a\n1\n',
      'sh: eval: line 0: syntax error: unexpected end of file (expecting "then")\n',
    ],
    ['if true', 2, '', 'sh: syntax error: unexpected end of file (expecting "then")\n'],
    ['echo "x', 2, '', 'sh: syntax error: unterminated quoted string\n'],
    [
      'echo `echo a; echo b` "$(echo \'c\nd\')"; echo $(nosuch); echo $?; x=$(exit 3); echo $?',
      0,
      'a b c\nd\n\n0\n3\n',
      'sh: nosuch: not found\n',
    ],
    ['a=(1 2); echo no', 2, '', 'sh: syntax error: unexpected "("\n'],
    ['function foo { echo foo; }; foo; foo() { echo bar; }; foo', 0, 'foo\nbar\n', ''],
    [
      'echo {a,b} {1..3}; echo ${x:1:2}; y=hello; echo ${y:1:2} ${y/l/L} ${y//l/L} ${y^}; echo no',
      2,
      '{a,b} {1..3}\n\n',
      'sh: syntax error: bad substitution\n',
    ],
    [
      "cat <<< hi; diff <(echo a) <(echo a); echo &> both; cat both; echo $RANDOM >/dev/null; echo $'a\\tb'; let x=1; source /dev/null; echo end",
      2,
      '',
      'sh: syntax error: unexpected redirection\n',
    ],
    ['set -o pipefail; false | true; echo $?; set -o nope; echo no', 0, '1\nno\n', 'sh: set: line 0: illegal option -o nope\n'],
    ['return 3; echo after', 3, '', ''],
    ['break; echo after; continue; echo c; exit abc; echo no', 2, 'after\nc\n', 'sh: exit: line 0: Illegal number: abc\n'],
    [
      'kill -l | head -1; kill -l 9; kill 99999; echo $?; kill abc; echo $?; kill; echo $?; kill -NOPE 1; echo $?',
      0,
      ' 1) HUP\nKILL\n1\n1\n1\n1\n',
      "sh: can't kill pid 99999: No such process\nsh: invalid number 'abc'\nsh: you need to specify whom to kill\nsh: bad signal name 'NOPE'\n",
    ],
    ['local x=1; echo no', 2, '', 'sh: local: line 0: not in a function\n'],
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
    expect(runIn('busybox:1.35', ['sh', '-c', script], { stdin, cwd: '/tmp' })).toMatchObject({ code, out, err });
  });
});
