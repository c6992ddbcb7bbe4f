// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text
import { describe, expect, it } from 'vitest';
import { runIn } from '../container.ts';

// Recorded with the real ones of Debian 12: script, exit code, stdout, stderr.
describe('dates as GNU reads and writes them', () => {
  it.each<[string, number, string, string, string?]>([
    [
      "date -u -d '2024-01-31 +1 month' +%F; date -u -d '2024-03-01 yesterday' +%F; date -u -d '2024-03-01 2 days ago' +%F; date -u -d '2024-03-01T10:20:30Z + 90 minutes' -Iseconds",
      0,
      '2024-03-02\n2024-02-29\n2024-02-28\n2024-03-01T11:50:30+00:00\n',
      '',
    ],
    [
      "date -u -d '2024-03-01 10:20:30 + 2 hours' +%FT%T; date -u -d '2024-03-01 10:20:30 2 hours' +%FT%T;date -u -d '2024-03-01 10:20:30 +90 minutes' +%FT%T; echo $?",
      0,
      '2024-03-01T09:20:30\n2024-03-01T12:20:30\n1\n',
      "date: invalid date '2024-03-01 10:20:30 +90 minutes'\n",
    ],
    [
      "for d in 'Tue, 14 Nov 2023 22:13:20 GMT' '14 Nov 2023' 'Nov 14 2023 22:13' '14-Nov-2023' '2023/11/14' '11/14/23' 'Nov 14, 2023' '20231114 1015' '20231114T101500Z' '2023-11-14 10pm' '2023-11-14 10:15:20.5' '2023-02-30' '2024-02-29 1 year' '2023-11-14 UTC' '2023-11-14 EST' '2023-11-14 10:00 UTC+2' '2023-11-14 10:00 +05:30' 'Nov 14 22:13:20 2023' '2023-11-14 3 weeks ago 2 hours' '2023-11-14 last year' '2023-11-14 next month' '2023-11-14 12am' '2023-11-14 12:30 pm' '2023-11-14 25:00' '2023-13-01' 'foo 2023' '1 fortnight ago 2023-11-14' '2023-11-14 (comment) 10:00' 'Thu Nov 14 10:11:12 UTC 2023' '@1.5' '@-1' '2023-W01' '14/11/2023' '2023-11-14 1 day 2 days'; do date -u -d \"$d\" '+%F %T.%N' 2>&1; done",
      0,
      "2023-11-14 22:13:20.000000000\n2023-11-14 00:00:00.000000000\n2023-11-14 22:13:00.000000000\n2023-11-14 00:00:00.000000000\n2023-11-14 00:00:00.000000000\n2023-11-14 00:00:00.000000000\n2023-11-14 00:00:00.000000000\n2023-11-14 10:15:00.000000000\ndate: invalid date '20231114T101500Z'\n2023-11-14 22:00:00.000000000\n2023-11-14 10:15:20.500000000\ndate: invalid date '2023-02-30'\n2025-03-01 00:00:00.000000000\n2023-11-14 00:00:00.000000000\n2023-11-14 05:00:00.000000000\n2023-11-14 08:00:00.000000000\n2023-11-14 04:30:00.000000000\n2023-11-14 22:13:20.000000000\n2023-10-24 02:00:00.000000000\n2022-11-14 00:00:00.000000000\n2023-12-14 00:00:00.000000000\n2023-11-14 00:00:00.000000000\n2023-11-14 12:30:00.000000000\ndate: invalid date '2023-11-14 25:00'\ndate: invalid date '2023-13-01'\ndate: invalid date 'foo 2023'\n2023-10-31 00:00:00.000000000\n2023-11-14 10:00:00.000000000\n2023-11-14 10:11:12.000000000\n1970-01-01 00:00:01.500000000\n1969-12-31 23:59:59.000000000\ndate: invalid date '2023-W01'\ndate: invalid date '14/11/2023'\n2023-11-17 00:00:00.000000000\n",
      '',
    ],
    [
      "date -u -d @1700000000 '+%V %G %g %W %03d %10Y %#Z %^b %_H|%5e|%-e|%12c|%:z %::z'; for d in 2021-01-01 2020-12-31 2024-12-30 2026-01-01 2023-01-01 2015-12-31; do date -u -d $d '+%G-%V %U %W %j'; done",
      0,
      '46 2023 23 46 014 0000002023 utc NOV 22|   14|14|Tue Nov 14 22:13:20 2023|+00:00 +00:00:00\n2020-53 00 00 001\n2020-53 52 52 366\n2025-01 52 53 365\n2026-01 00 00 001\n2022-52 01 00 001\n2015-53 52 52 365\n',
      '',
    ],
    [
      "date -u -d @1700000000 -R; date -u -d @1700000000 -I; date -u -d @1700000000 -Is; date -u -d @1700000000 -Ins; date -u -d @1700000000 --rfc-3339=seconds; date -u -d @1700000000 --rfc-3339=ns;  date -Ibogus; date --iso-8601=hours -u -d @0; date +%s foo; date foo; echo $?; printf '2024-01-01\\nbad\\n' > f; date -u -f f +%s; echo $?",
      0,
      'Tue, 14 Nov 2023 22:13:20 +0000\n2023-11-14\n2023-11-14T22:13:20+00:00\n2023-11-14T22:13:20,000000000+00:00\n2023-11-14 22:13:20+00:00\n2023-11-14 22:13:20.000000000+00:00\n1970-01-01T00+00:00\n1\n1704067200\n1\n',
      "date: invalid argument 'bogus' for '--iso-8601'\nValid arguments are:\n  - 'hours'\n  - 'minutes'\n  - 'date'\n  - 'seconds'\n  - 'ns'\nTry 'date --help' for more information.\ndate: extra operand 'foo'\nTry 'date --help' for more information.\ndate: invalid date 'foo'\ndate: invalid date 'bad'\n",
    ],
    [
      "touch -d @1700000000 f; date -u -r f +%s; touch -d '2023-11-14 UTC' g; stat -c %Y g; touch -t 202311142213.20 h; touch -r h i; stat -c %Y i; touch -d bogus j; touch -t bogus j; touch -r nope k",
      1,
      '1700000000\n1699920000\n1700000000\n',
      "touch: invalid date format 'bogus'\ntouch: invalid date format 'bogus'\ntouch: failed to get attributes of 'nope': No such file or directory\n",
    ],
    [
      "date -u -d '2024-03-01T10:20:30Z +2' +%FT%T; date -u -d '2024-03-01T10:20:30Z -1 day' +%FT%T",
      0,
      '2024-03-01T08:20:30\n2024-02-29T10:20:30\n',
      '',
    ],
  ])('%s', (script, code, out, err, stdin) => {
    expect(runIn('debian:12', ['bash', '-c', `cd /tmp; ${script}`], { stdin })).toMatchObject({ code, out, err });
  });
});
