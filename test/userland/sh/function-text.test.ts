// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text
import { describe, expect, it } from 'vitest';
import { runIn } from '../container.ts';

// Recorded with the real ones of Debian 12: script, exit code, stdout, stderr.
describe('functions as bash prints them', () => {
  it.each<[string, number, string, string, string?]>([
    [
      'f() { echo hi; if true; then echo yes; else echo no; fi; for i in 1 2; do echo $i; done; while read x; do :; done < /dev/null; case $1 in a|b) echo ab;; *) echo other;; esac; [[ -n $1 ]] && echo n || { echo z; }; (cd /; pwd); local a=1 b="x y"; echo "$a" > /dev/null 2>&1; cat <<< hi; }; declare -f f; type f',
      0,
      'f () \n{ \n    echo hi;\n    if true; then\n        echo yes;\n    else\n        echo no;\n    fi;\n    for i in 1 2;\n    do\n        echo $i;\n    done;\n    while read x; do\n        :;\n    done < /dev/null;\n    case $1 in \n        a | b)\n            echo ab\n        ;;\n        *)\n            echo other\n        ;;\n    esac;\n    [[ -n $1 ]] && echo n || { \n        echo z\n    };\n    ( cd /;\n    pwd );\n    local a=1 b="x y";\n    echo "$a" > /dev/null 2>&1;\n    cat <<< hi\n}\nf is a function\nf () \n{ \n    echo hi;\n    if true; then\n        echo yes;\n    else\n        echo no;\n    fi;\n    for i in 1 2;\n    do\n        echo $i;\n    done;\n    while read x; do\n        :;\n    done < /dev/null;\n    case $1 in \n        a | b)\n            echo ab\n        ;;\n        *)\n            echo other\n        ;;\n    esac;\n    [[ -n $1 ]] && echo n || { \n        echo z\n    };\n    ( cd /;\n    pwd );\n    local a=1 b="x y";\n    echo "$a" > /dev/null 2>&1;\n    cat <<< hi\n}\n',
      '',
    ],
    [
      'f() {\n  cat <<E\nhello $1\nE\n  a=(1 2); for ((i=0; i<3; i++)); do echo $i; done; x=$(date); ((x++)); ! true; a | b |& c; d & wait\n}\ndeclare -f f',
      0,
      'f () \n{ \n    cat <<E\nhello $1\nE\n\n    a=(1 2)\n    for ((i=0; i<3; i++))\n    do\n        echo $i;\n    done;\n    x=$(date);\n    ((x++));\n    ! true;\n    a | b 2>&1 | c;\n    d & wait\n}\n',
      '',
    ],
    [
      'f() { if a; then b; elif c; then d; else e; fi; }; g() { if a; then b; elif c; then d; fi; until x; do y; done; }; declare -f',
      0,
      'f () \n{ \n    if a; then\n        b;\n    else\n        if c; then\n            d;\n        else\n            e;\n        fi;\n    fi\n}\ng () \n{ \n    if a; then\n        b;\n    else\n        if c; then\n            d;\n        fi;\n    fi;\n    until x; do\n        y;\n    done\n}\n',
      '',
    ],
    [
      'f() { g() { echo inner; }; select x in a b; do break; done; for y; do z; done; time ls; case x in (a) ;; b) c;& d) e;;& esac; } > /dev/null; declare -f f',
      0,
      'f () \n{ \n    function g () \n    { \n        echo inner\n    };\n    select x in a b;\n    do\n        break;\n    done;\n    for y in "$@";\n    do\n        z;\n    done;\n    time ls;\n    case x in \n        a)\n\n        ;;\n        b)\n            c\n        ;&\n        d)\n            e\n        ;;&\n    esac\n} > /dev/null\n',
      '',
    ],
    [
      'f() (echo sub); g() { [[ ! -f x && ( a == b || c =~ d ) ]]; }; h() for i in 1; do echo; done; declare -f; typeset -F; declare -F f; type -t f',
      0,
      'f () \n{ \n    ( echo sub )\n}\ng () \n{ \n    [[ ! -f x && ( a == b || c =~ d ) ]]\n}\nh () \n{ \n    for i in 1;\n    do\n        echo;\n    done\n}\ndeclare -f f\ndeclare -f g\ndeclare -f h\nf\nfunction\n',
      '',
    ],
    [
      'function k { kubectl "$@"; }; type k; command -V k; command -v k; export -f k; f() { local x; x=1 y=2 cmd "a b" \'c\' $d ${e:-f} >> log 2>&1 < in &> all; { a; b; }; if { a; } ; then (b); fi; return 1; }; declare -f f; unset -f f; declare -f f; echo $?',
      0,
      'k is a function\nk () \n{ \n    kubectl "$@"\n}\nk is a function\nk () \n{ \n    kubectl "$@"\n}\nk\nf () \n{ \n    local x;\n    x=1 y=2 cmd "a b" \'c\' $d ${e:-f} >> log 2>&1 < in &> all;\n    { \n        a;\n        b\n    };\n    if { \n        a\n    }; then\n        ( b );\n    fi;\n    return 1\n}\n1\n',
      '',
    ],
  ])('%s', (script, code, out, err, stdin) => {
    expect(runIn('debian:12', ['bash', '-c', script], { stdin, cwd: '/tmp' })).toMatchObject({ code, out, err });
  });
});
