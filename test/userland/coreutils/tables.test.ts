// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text
import { describe, expect, it } from 'vitest';
import { runIn } from '../container.ts';

// Recorded with the real ones of Debian 12: script, exit code, stdout, stderr.
describe("join, numfmt, column, sort, cut and grep as GNU's", () => {
  it.each<[string, number, string, string, string?]>([
    [
      "numfmt --to=iec 1024 1048576 1500; numfmt --to=si 1500; numfmt --from=iec 1K 2M; numfmt --to=iec-i --suffix=B 123456789; echo 1000 2000 | numfmt --to=si --field=2; numfmt --grouping 1234567; numfmt --format='%.2f' --to=iec 1234567; numfmt abc; echo $?; numfmt --from=auto 1Ki; numfmt --padding=10 5; numfmt --to-unit=1024 4096",
      0,
      '1.0K\n1.0M\n1.5K\n1.5K\n1024\n2097152\n118MiB\n1000 2.0K\n1234567\n1.18M\n2\n1024\n         5\n4\n',
      "numfmt: invalid number: 'abc'\n",
    ],
    [
      "numfmt --from=si 1K 1.5M; numfmt --from=iec-i 1Ki; numfmt --from=iec-i 1K; numfmt 1K; numfmt --to=iec 999 1023 10239 9999999; numfmt --to=si 999 1000 99999 999999; numfmt --round=down --to=iec 1999; numfmt --round=up --to=si 1001; numfmt --round=nearest --to=si 1449; numfmt -d: --field=2 --to=iec a:2048:c; printf 'Size\\n1024\\n' | numfmt --header --to=iec; numfmt --invalid=ignore foo 3; echo $?; numfmt --to=bogus 1; numfmt --format='%10.1f|' --to=si 12345; numfmt --format='%-10f|' --to=si 12345; numfmt --format='%05f' 42; numfmt --format='foo' 1; numfmt --format='%d' 1",
      1,
      '1000\n1500000\n1024\n999\n1023\n10K\n9.6M\n999\n1.0K\n100K\n1.0M\n1.9K\n1.1K\n1.4K\na:2.0K:c\nSize\n1.0K\nfoo\n3\n0\n     12.4K|\n13K       |\n00042\n',
      "numfmt: missing 'i' suffix in input: '1K' (e.g Ki/Mi/Gi)\nnumfmt: rejecting suffix in input: '1K' (consider using --from)\nnumfmt: invalid argument 'bogus' for '--to'\nValid arguments are:\n  - 'none'\n  - 'si'\n  - 'iec'\n  - 'iec-i'\nTry 'numfmt --help' for more information.\nnumfmt: format 'foo' has no % directive\nnumfmt: invalid format '%d', directive must be %[0]['][-][N][.][N]f\n",
    ],
    [
      "printf '%s\\n' 'total 2048 x' 'sub     1048576 y' | numfmt --field 2 --to=iec; echo '  1024 a' | numfmt --to=iec; numfmt 1.5 2.25; numfmt --to=iec 1.5; numfmt -- -1024; numfmt --to=iec -- -2048; numfmt --from=iec 1.5G; numfmt --from-unit=1024 --to=iec 4; numfmt --suffix=B 5B; numfmt --padding=-8 --to=si 5000 | cat -A; df -k / | tail -1 | tr -s ' ' | cut -d' ' -f2 | numfmt --from-unit=1K --to=iec >/dev/null; numfmt 1e3; numfmt ''; numfmt --bogus",
      1,
      'total 2.0K x\nsub        1.0M y\n  1.0K a\n1.5\n2.25\n2\n-1024\n-2.0K\n1610612736\n4.0K\n5B\n5.0K    $\n',
      "numfmt: invalid suffix in input: '1e3'\nnumfmt: invalid number: ''\nnumfmt: unrecognized option '--bogus'\nTry 'numfmt --help' for more information.\n",
    ],
    [
      "printf '1 a\\n2 b\\n3 c\\n' > l; printf '1 x\\n3 z\\n4 w\\n' > r; join l r; join -a1 l r; join -v2 l r; join -a1 -a2 -e - -o 0,1.2,2.2 l r; join -t' ' -1 1 -2 1 l r",
      0,
      '1 a x\n3 c z\n1 a x\n2 b\n3 c z\n4 w\n1 a x\n2 b -\n3 c z\n4 - w\n1 a x\n3 c z\n',
      '',
    ],
    [
      "printf '3 c\\n1 a\\n' > l; printf '1 x\\n' > r; join l r; echo $?; join --nocheck-order l r; echo $?; join --check-order l r; echo $?",
      0,
      '1\n0\n1\n',
      'join: l:2: is not sorted: 1 a\njoin: input is not in sorted order\njoin: l:2: is not sorted: 1 a\n',
    ],
    [
      "printf 'a:1:x\\nb:2:y\\n' > l; printf '1:foo\\n2:bar\\n2:baz\\n' > r; join -t: -1 2 -2 1 l r; join -t: -j 1 l r; join -t: -1 2 -2 1 -o auto -a1 -e X l r; join l; join; join l r x; join -1 0 l r; join -t:: l r; join l nope; printf 'A 1\\n' > u; printf 'a 2\\n' > v; join -i u v; printf 'h v\\na 1\\n' > x; printf 'h w\\na 2\\n' > y; join --header x y; printf 'k p q\\n' > m; printf 'k s\\n' > n; join -o 1.3,2.2,0 m n; join -o 3.1 m n; join - n < m",
      0,
      '1:a:x:foo\n2:b:y:bar\n2:b:y:baz\n1:a:x:foo\n2:b:y:bar\n2:b:y:baz\nA 1 2\nh v w\na 1 2\nq s k\nk p q s\n',
      "join: missing operand after 'l'\nTry 'join --help' for more information.\njoin: missing operand\nTry 'join --help' for more information.\njoin: extra operand 'x'\nTry 'join --help' for more information.\njoin: invalid field number: '0'\njoin: multi-character tab '::'\njoin: nope: No such file or directory\njoin: invalid file number in field spec: '3.1'\n",
    ],
    [
      "printf 'name age\\nbob 5\\nalice 10\\n' | column -t; printf 'a:b\\nccc:d\\n' | column -s: -t; printf '%s\\n' 1 2 3 4 5 6 | column -c 20; printf 'a,b\\nc,d\\n' | column -t -s, -o ' | '; printf 'a b\\nc d\\n' | column -t -N X,Y; printf 'a b\\n' | column -t -N x,y -J; printf 'a 1\\nbb 22\\n' | column -t -R 2",
      0,
      'name   age\nbob    5\nalice  10\na    b\nccc  d\n1\t4\n2\t5\n3\t6\na | b\nc | d\nX  Y\na  b\nc  d\n{\n   "table": [\n      {\n         "x": "a",\n         "y": "b"\n      }\n   ]\n}\na    1\nbb  22\n',
      '',
    ],
    [
      "seq 1 25 | column -c 40; seq 1 10 | column -x -c 40; printf 'longerword\\nb\\nc\\n' | column -c 40; printf 'a::b\\n' | column -t -s:; printf 'a b c\\nd\\ne f\\n' | column -t | cat -A; printf 'a b c\\n' | column -t -N A,B,C -H B; printf '\\n\\na b\\n' | column -t; column < /dev/null; printf 'a b c\\n' | column -t -l 2; printf 'x 1\\ny 2\\n' | column -t -J -N k,v --table-name stuff; printf 'a,,c\\n' | column -t -s, -o'|'; printf 'a b\\nccc d e\\n' | column -t -o'|'",
      0,
      '1\t6\t11\t16\t21\n2\t7\t12\t17\t22\n3\t8\t13\t18\t23\n4\t9\t14\t19\t24\n5\t10\t15\t20\t25\n1\t2\t3\t4\t5\n6\t7\t8\t9\t10\nlongerword\tc\nb\na    b\na  b  c$\nd     $\ne  f  $\nA  C\na  c\na  b\na  b c\n{\n   "stuff": [\n      {\n         "k": "x",\n         "v": "1"\n      },{\n         "k": "y",\n         "v": "2"\n      }\n   ]\n}\na||c\na  |b|\nccc|d|e\n',
      '',
    ],
    [
      "printf '192.168.1.10\\n192.168.1.2\\n' | sort -t. -k4,4n; printf '%s\\n' 5 3 | sort -n -s -z | od -c | head -1; sort -k0 /dev/null; sort -k a /dev/null; sort -k 1,0 /dev/null; sort nope; echo $?; sort -k1.0 /dev/null; printf 'b\\0a\\0' | sort -z | tr '\\0' '\\n'",
      0,
      '192.168.1.2\n192.168.1.10\n0000000   5  \\n   3  \\n  \\0\n2\na\nb\n',
      "sort: field number is zero: invalid field specification '0'\nsort: invalid number at field start: invalid count at start of 'a'\nsort: field number is zero: invalid field specification '1,0'\nsort: cannot read: nope: No such file or directory\nsort: character offset is zero: invalid field specification '1.0'\n",
    ],
    [
      "echo abcdef | cut -c1,3-4 --output-delimiter=-; cut -f1 -c1; cut -c1 -d:; cut -s -c1; echo abc | tr -t abc 12; echo 'a:b' | cut -d: -f3; echo 'x y z' | cut -d' ' -f2-; printf 'a\\tb\\n' | cut -f2",
      0,
      'a-cd\n12c\n\ny z\nb\n',
      "cut: only one list may be specified\nTry 'cut --help' for more information.\ncut: an input delimiter may be specified only when operating on fields\nTry 'cut --help' for more information.\ncut: suppressing non-delimited lines makes sense\n\tonly when operating on fields\nTry 'cut --help' for more information.\n",
    ],
    [
      "printf 'foo 1\\nbar 22\\nfoobar\\n' > f; grep -ob foo f; grep -Z -l foo f | od -c | head -1; grep --color=always foo f; grep --color=always -n foo f f;  grep -z foo f | od -c | head -1; grep -P '(' f; echo $?; grep --bogus; grep -bn bar f; printf 'a\\0b\\0' | grep -z b | od -c; grep --color=always -A1 -n foo f; grep -c foo f f; grep --group-separator=XX -A0 foo f; grep --no-group-separator -A0 foo f; mkdir -p d/s; cp f d/x.txt; cp f d/s/y.log; grep -r --include='*.txt' foo d; grep -r --exclude='*.txt' foo d; grep -r --exclude-dir=s foo d; grep -rl foo d | sort; grep -q; echo $?",
      0,
      '0:foo\n13:foo\n0000000   f  \\0\n\u001b[01;31m\u001b[Kfoo\u001b[m\u001b[K 1\n\u001b[01;31m\u001b[Kfoo\u001b[m\u001b[Kbar\n\u001b[35m\u001b[Kf\u001b[m\u001b[K\u001b[36m\u001b[K:\u001b[m\u001b[K\u001b[32m\u001b[K1\u001b[m\u001b[K\u001b[36m\u001b[K:\u001b[m\u001b[K\u001b[01;31m\u001b[Kfoo\u001b[m\u001b[K 1\n\u001b[35m\u001b[Kf\u001b[m\u001b[K\u001b[36m\u001b[K:\u001b[m\u001b[K\u001b[32m\u001b[K3\u001b[m\u001b[K\u001b[36m\u001b[K:\u001b[m\u001b[K\u001b[01;31m\u001b[Kfoo\u001b[m\u001b[Kbar\n\u001b[35m\u001b[Kf\u001b[m\u001b[K\u001b[36m\u001b[K:\u001b[m\u001b[K\u001b[32m\u001b[K1\u001b[m\u001b[K\u001b[36m\u001b[K:\u001b[m\u001b[K\u001b[01;31m\u001b[Kfoo\u001b[m\u001b[K 1\n\u001b[35m\u001b[Kf\u001b[m\u001b[K\u001b[36m\u001b[K:\u001b[m\u001b[K\u001b[32m\u001b[K3\u001b[m\u001b[K\u001b[36m\u001b[K:\u001b[m\u001b[K\u001b[01;31m\u001b[Kfoo\u001b[m\u001b[Kbar\n0000000   f   o   o       1  \\n   b   a   r       2   2  \\n   f   o   o\n2\n2:6:bar 22\n3:13:foobar\n0000000   b  \\0\n0000002\n\u001b[32m\u001b[K1\u001b[m\u001b[K\u001b[36m\u001b[K:\u001b[m\u001b[K\u001b[01;31m\u001b[Kfoo\u001b[m\u001b[K 1\n\u001b[32m\u001b[K2\u001b[m\u001b[K\u001b[36m\u001b[K-\u001b[m\u001b[Kbar 22\n\u001b[32m\u001b[K3\u001b[m\u001b[K\u001b[36m\u001b[K:\u001b[m\u001b[K\u001b[01;31m\u001b[Kfoo\u001b[m\u001b[Kbar\nf:2\nf:2\nfoo 1\nXX\nfoobar\nfoo 1\nfoobar\nd/x.txt:foo 1\nd/x.txt:foobar\nd/s/y.log:foo 1\nd/s/y.log:foobar\nd/x.txt:foo 1\nd/x.txt:foobar\nd/s/y.log\nd/x.txt\n2\n',
      "grep: missing closing parenthesis\ngrep: unrecognized option '--bogus'\nUsage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\nUsage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n",
    ],
    [
      "echo 'key=val' | grep -oP 'key=\\K\\w+'; echo x | grep -A q x; echo $?; awk 'BEGIN{print 100000*100000, 2147483647, 2^31, 1e6}'; arch; nice; timeout; echo $?; groups root; groups nope; mkdir d; cd d; find . -delete; ls",
      0,
      'val\n2\n1e+10 2147483647 2.14748e+09 1000000\nx86_64\n0\n125\nroot : root\n',
      "grep: q: invalid context length argument\nTry 'timeout --help' for more information.\ngroups: 'nope': no such user\n",
    ],
  ])('%s', (script, code, out, err, stdin) => {
    expect(runIn('debian:12', ['bash', '-c', `cd /tmp; ${script}`], { stdin })).toMatchObject({ code, out, err });
  });
});
