// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text
import { describe, expect, it } from 'vitest';
import { runIn } from '../container.ts';

// Recorded with the real ones of Debian 12: script, exit code, stdout, stderr.
describe("bash's traces, traps, descriptors and messages", () => {
  it.each<[string, number, string, string, string?]>([
    [
      'set -eE; trap \'echo "err line $LINENO: $BASH_COMMAND rc=$?"\' ERR; f() { ls /nope 2>/dev/null; }\nf',
      2,
      'err line 1: ls /nope 2> /dev/null rc=2\n',
      '',
    ],
    ["trap 'echo dbg $BASH_COMMAND' DEBUG; x=1; echo hi", 0, 'dbg x=1\ndbg echo hi\nhi\n', ''],
    ["f() { trap 'echo ret' RETURN; echo in; }; f; echo out", 0, 'in\nret\nout\n', ''],
    [
      'f() { echo "${FUNCNAME[0]} ${FUNCNAME[1]} $# ${BASH_LINENO[0]}"; caller; caller 0; }\ng() { f 1 2; }\ng',
      0,
      'f g 2 2\n2 environment\n2 g environment\n',
      '',
    ],
    ['coproc cat; echo hello >&${COPROC[1]}; read -r line <&${COPROC[0]}; echo "got $line"; kill $COPROC_PID', 0, 'got hello\n', ''],
    [
      'coproc BC { while read -r l; do echo "r:$l"; done; }; echo one >&"${BC[1]}"; read -r x <&"${BC[0]}"; echo $x; exec {BC[1]}>&-; wait $BC_PID; echo $?',
      0,
      'r:one\n0\n',
      '',
    ],
    ['shopt -s lastpipe; echo a b | read x y; echo "$x-$y"', 0, 'a-b\n', ''],
    [
      '[[ 1 -eq a ]]; echo $?; a=1; [[ 1 -eq a ]]; echo $?; [[ 08 -eq 8 ]]; echo $?',
      0,
      '1\n0\n1\n',
      'bash: line 1: [[: 08: value too great for base (error token is "08")\n',
    ],
    ["PS4='+${LINENO}: '; set -x; echo hi\necho there", 0, 'hi\nthere\n', '+1: echo hi\n+2: echo there\n'],
    [
      'set -x; [[ a =~ ^a ]]; [[ ! -e /nope ]]; [[ 1 -lt 2 ]]; ((i=0)); for ((i=0;i<1;i++)); do :; done; let y=1; select x in a; do break; done <<<1',
      0,
      '',
      '+ [[ a =~ ^a ]]\n+ [[ ! -e /nope ]]\n+ [[ 1 -lt 2 ]]\n+ (( i=0 ))\n+ (( i=0 ))\n+ (( i<1 ))\n+ :\n+ (( i++ ))\n+ (( i<1 ))\n+ let y=1\n+ select x in a\n1) a\n#? + break\n',
    ],
    [
      'type cd ls if echo nope; type -t cd ls if nope; command -v ls cd if nope; command -V cd; type -a echo; which ls',
      0,
      'cd is a shell builtin\nls is /usr/bin/ls\nif is a shell keyword\necho is a shell builtin\nbuiltin\nfile\nkeyword\n/usr/bin/ls\ncd\nif\ncd is a shell builtin\necho is a shell builtin\necho is /usr/bin/echo\necho is /bin/echo\n/usr/bin/ls\n',
      'bash: line 1: type: nope: not found\n',
    ],
    [
      'exec 3<<<"hi there"; read -u 3 a b; echo "$b $a"; exec 3<&-; exec {fd}>out; echo $fd; echo hey >&$fd; exec {fd}>&-; cat out; echo err 2>&1 >/dev/null; { echo o; echo e >&2; } &> both; cat both; echo more &>> both; cat both',
      0,
      'there hi\n10\nhey\no\ne\no\ne\nmore\n',
      '',
    ],
    [
      "eval 'echo $((1+'; echo \"rc $?\"; eval 'if'; echo \"rc $?\"; eval 'echo ok'; eval; echo $?",
      0,
      'rc 2\nrc 2\nok\n0\n',
      "bash: eval: line 1: unexpected EOF while looking for matching `)'\nbash: eval: line 2: syntax error: unexpected end of file\n",
    ],
    ['(sleep 0.2; exit 7) & p=$!; wait -n -p done_pid; echo $? $([ $p = $done_pid ] && echo same)', 0, '7 same\n', ''],
    [
      'a=(); echo "${a[@]:-empty}" "${#a[@]}"; a[5]=x; echo "${#a[@]}" "${!a[@]}"; a[-1]=y; echo ${a[5]}; a[-9]=z; echo $?',
      1,
      'empty 0\n1 5\ny\n',
      'bash: line 1: a[-9]: bad array subscript\n',
    ],
    [
      'break; continue; echo $?; for i in 1 2 3; do for j in a b; do [ $i = 2 ] && continue 2; echo $i$j; [ $i = 3 ] && break 2; done; done; break 0; for i in 1; do break 0; echo x; done',
      1,
      '0\n1a\n1b\n3a\n',
      "bash: line 1: break: only meaningful in a `for', `while', or `until' loop\nbash: line 1: continue: only meaningful in a `for', `while', or `until' loop\nbash: line 1: break: only meaningful in a `for', `while', or `until' loop\nbash: line 1: break: 0: loop count out of range\n",
    ],
    [
      'time true; echo $?; TIMEFORMAT=%R; time :; time -p sleep 0.1',
      0,
      '0\n',
      '\nreal\t0m0.000s\nuser\t0m0.000s\nsys\t0m0.000s\n0.000\nreal 0.10\nuser 0.00\nsys 0.00\n',
    ],
    [
      'pushd /etc; pushd /usr; dirs; dirs -v; popd; popd; popd; echo $?; dirs -p',
      0,
      '/etc /tmp\n/usr /etc /tmp\n/usr /etc /tmp\n 0  /usr\n 1  /etc\n 2  /tmp\n/etc /tmp\n/tmp\n1\n/tmp\n',
      'bash: line 1: popd: directory stack empty\n',
    ],
    [
      'printf \'%s\\n\' "${BASH_SOURCE[@]}" "$BASH_COMMAND" "$_"; echo a b; echo $_; true; echo "$_"',
      0,
      'printf \'%s\\n\' "${BASH_SOURCE[@]}" "$BASH_COMMAND" "$_"\nbash\na b\nb\ntrue\n',
      '',
    ],
    [
      'set -x; A=1 B=2 true; x=5; (( $x + 1 )); (( x > 3 )); for i; do :; done; eval "echo hi"; [[ $x == "5" ]]; [[ $x == "5"* ]]; [[ -z "" ]]; [[ a == "" ]]; [[ (a == a) ]]; trap "echo bye" EXIT; case "$x" in 5) ;; esac; y=$(echo $(echo a)); f() { return 3; }; f; while [ $x -lt 6 ]; do ((x++)); done; declare q=1;  local z; arr+=(x); arr[1]=3; z=$x:; unset q; . /dev/null; cat <<<"$x" >/dev/null; ! true; a=b=c',
      0,
      'hi\nbye\n',
      "+ A=1\n+ B=2\n+ true\n+ x=5\n+ ((  5 + 1  ))\n+ ((  x > 3  ))\n+ eval 'echo hi'\n++ echo hi\n+ [[ 5 == \\5 ]]\n+ [[ 5 == \\5* ]]\n+ [[ -z '' ]]\n+ [[ a == '' ]]\n+ [[ a == a ]]\n+ trap 'echo bye' EXIT\n+ case \"$x\" in\n+++ echo a\n++ echo a\n+ y=a\n+ f\n+ return 3\n+ '[' 5 -lt 6 ']'\n+ (( x++ ))\n+ '[' 6 -lt 6 ']'\n+ declare q=1\n+ local z\nbash: line 1: local: can only be used in a function\n+ arr+=(x)\n+ arr[1]=3\n+ z=6:\n+ unset q\n+ . /dev/null\n+ cat\n+ true\n+ a=b=c\n+ echo bye\n",
    ],
    [
      'x=1; ((1/0)); echo $?; let 1/0; echo $?; let; echo $?; [[ 1/0 -eq 1 ]]; echo $?; echo $((1/0)); echo no',
      1,
      '1\n1\n1\n1\n',
      'bash: line 1: ((: 1/0: division by 0 (error token is "0")\nbash: line 1: let: 1/0: division by 0 (error token is "0")\nbash: line 1: let: expression expected\nbash: line 1: [[: 1/0: division by 0 (error token is "0")\nbash: line 1: 1/0: division by 0 (error token is "0")\n',
    ],
    ['set -e; trap \'echo "ERR $? line $LINENO: $BASH_COMMAND"\' ERR; false; echo no', 1, 'ERR 1 line 1: false\n', ''],
    [
      'set -E; trap \'echo "E:$BASH_COMMAND"\' ERR; f() { grep -q zzz /etc/passwd; }; f; (false); x=$(false); false || true; if false; then :; fi; ! true; echo "$x" | grep q',
      1,
      'E:grep -q zzz /etc/passwd\nE:grep -q zzz /etc/passwd\nE:false\nE:( false )\nE:x=$(false)\nE:grep q\n',
      '',
    ],
    [
      'f() { caller; caller 0; caller 1; echo "${BASH_LINENO[@]} ${FUNCNAME[@]}"; }\ng() {\n  f\n}\ng; caller; echo $?',
      0,
      '3 environment\n3 g environment\n3 5 f g\n1\n',
      '',
    ],
    [
      'cleanup() { echo "cleanup $?"; }; trap cleanup EXIT; trap \'echo TERM; exit 4\' TERM; kill $$; echo after',
      4,
      'TERM\ncleanup 4\n',
      '',
    ],
    ['coproc { cat; }; echo "x" >&${COPROC[1]}; eval "exec ${COPROC[1]}>&-"; cat <&${COPROC[0]}; wait; echo $?', 0, 'x\n0\n', ''],
    [
      'exec {fd}<<<"hello"; read -u $fd l; echo $l; exec {fd}<&-; exec 3>&1; echo to3 >&3; exec 3>&-; f() { echo x >&4; }; f 4>&1; { echo a; echo b; } 4>/dev/null; echo $?',
      0,
      'hello\nto3\nx\na\nb\n0\n',
      '',
    ],
    [
      "shopt -s lastpipe; printf '1\\n2\\n' | while read n; do s=$((s+n)); done; echo $s; false | true; echo ${PIPESTATUS[@]}; set -o pipefail; false | true; echo $?",
      0,
      '3\n1 0\n1\n',
      '',
    ],
    ['echo a b c; echo $_; ls /nope 2>/dev/null; echo "$_ $?"; x=5; echo "[$_]"', 0, 'a b c\nc\n/nope 2\n[]\n', ''],
    ["TIMEFORMAT='%1R'; time sleep 1.2; TIMEFORMAT=; time true; time (exit 3); echo $?", 0, '3\n', '1.2\n'],
    [
      "trap 'echo d: $BASH_COMMAND' DEBUG; for i in 1 2; do x=$i; done; f() { echo f; }; f; trap - DEBUG; echo end",
      0,
      'd: for i in 1 2\nd: x=$i\nd: for i in 1 2\nd: x=$i\nd: f\nf\nd: trap - DEBUG\nend\n',
      '',
    ],
    [
      'f() { trap "echo leaving f" RETURN; echo body; return 2; }; f; echo $?; g() { echo g; }; g; set -T; f; g',
      0,
      'body\nleaving f\n2\ng\nbody\nleaving f\ng\nleaving f\n',
      '',
    ],
    [
      "kill -l; kill -l INT; kill -l 15; kill -l SIGKILL; trap '' INT; kill -INT $$; echo survived; trap 'echo USR1 caught' USR1; kill -USR1 $$; kill -s USR1 $$; kill -n 10 $$; trap 'echo x' NOPE; echo $?; trap -l; trap -p USR1",
      0,
      " 1) SIGHUP\t 2) SIGINT\t 3) SIGQUIT\t 4) SIGILL\t 5) SIGTRAP\n 6) SIGABRT\t 7) SIGBUS\t 8) SIGFPE\t 9) SIGKILL\t10) SIGUSR1\n11) SIGSEGV\t12) SIGUSR2\t13) SIGPIPE\t14) SIGALRM\t15) SIGTERM\n16) SIGSTKFLT\t17) SIGCHLD\t18) SIGCONT\t19) SIGSTOP\t20) SIGTSTP\n21) SIGTTIN\t22) SIGTTOU\t23) SIGURG\t24) SIGXCPU\t25) SIGXFSZ\n26) SIGVTALRM\t27) SIGPROF\t28) SIGWINCH\t29) SIGIO\t30) SIGPWR\n31) SIGSYS\t34) SIGRTMIN\t35) SIGRTMIN+1\t36) SIGRTMIN+2\t37) SIGRTMIN+3\n38) SIGRTMIN+4\t39) SIGRTMIN+5\t40) SIGRTMIN+6\t41) SIGRTMIN+7\t42) SIGRTMIN+8\n43) SIGRTMIN+9\t44) SIGRTMIN+10\t45) SIGRTMIN+11\t46) SIGRTMIN+12\t47) SIGRTMIN+13\n48) SIGRTMIN+14\t49) SIGRTMIN+15\t50) SIGRTMAX-14\t51) SIGRTMAX-13\t52) SIGRTMAX-12\n53) SIGRTMAX-11\t54) SIGRTMAX-10\t55) SIGRTMAX-9\t56) SIGRTMAX-8\t57) SIGRTMAX-7\n58) SIGRTMAX-6\t59) SIGRTMAX-5\t60) SIGRTMAX-4\t61) SIGRTMAX-3\t62) SIGRTMAX-2\n63) SIGRTMAX-1\t64) SIGRTMAX\t\n2\nTERM\n9\nsurvived\nUSR1 caught\nUSR1 caught\nUSR1 caught\n1\n 1) SIGHUP\t 2) SIGINT\t 3) SIGQUIT\t 4) SIGILL\t 5) SIGTRAP\n 6) SIGABRT\t 7) SIGBUS\t 8) SIGFPE\t 9) SIGKILL\t10) SIGUSR1\n11) SIGSEGV\t12) SIGUSR2\t13) SIGPIPE\t14) SIGALRM\t15) SIGTERM\n16) SIGSTKFLT\t17) SIGCHLD\t18) SIGCONT\t19) SIGSTOP\t20) SIGTSTP\n21) SIGTTIN\t22) SIGTTOU\t23) SIGURG\t24) SIGXCPU\t25) SIGXFSZ\n26) SIGVTALRM\t27) SIGPROF\t28) SIGWINCH\t29) SIGIO\t30) SIGPWR\n31) SIGSYS\t34) SIGRTMIN\t35) SIGRTMIN+1\t36) SIGRTMIN+2\t37) SIGRTMIN+3\n38) SIGRTMIN+4\t39) SIGRTMIN+5\t40) SIGRTMIN+6\t41) SIGRTMIN+7\t42) SIGRTMIN+8\n43) SIGRTMIN+9\t44) SIGRTMIN+10\t45) SIGRTMIN+11\t46) SIGRTMIN+12\t47) SIGRTMIN+13\n48) SIGRTMIN+14\t49) SIGRTMIN+15\t50) SIGRTMAX-14\t51) SIGRTMAX-13\t52) SIGRTMAX-12\n53) SIGRTMAX-11\t54) SIGRTMAX-10\t55) SIGRTMAX-9\t56) SIGRTMAX-8\t57) SIGRTMAX-7\n58) SIGRTMAX-6\t59) SIGRTMAX-5\t60) SIGRTMAX-4\t61) SIGRTMAX-3\t62) SIGRTMAX-2\n63) SIGRTMAX-1\t64) SIGRTMAX\t\ntrap -- 'echo USR1 caught' SIGUSR1\n",
      'bash: line 1: trap: NOPE: invalid signal specification\n',
    ],
  ])('%s', (script, code, out, err, stdin) => {
    expect(runIn('debian:12', ['bash', '-c', script], { stdin, cwd: '/tmp' })).toMatchObject({ code, out, err });
  });
});
