// Who is there: nobody logs in to a simulated machine by a terminal of its own.
import { print } from '../../linux/process.ts';
import type { Program } from '../../linux/types.ts';
import { account, groupName } from './accounts.ts';
import { uptimeLine } from './system.ts';
import { error, out, type ToolSpec } from './tool.ts';

/** who and users read an empty utmp. */
export const WHO: ToolSpec = {
  short: 'abdHlmpqrstTu',
  long: { all: 'a', boot: 'b', heading: 'H', count: 'q' },
  *run(r) {
    if (r.options.has('q')) out(r, '\n# users=0\n');
    else if (r.options.has('H')) out(r, 'NAME     LINE         TIME             COMMENT\n');
    else if (r.bb) out(r, 'USER\t\tTTY\t\tIDLE\tTIME\t\t HOST\n');
    return 0;
  },
};

export const W: ToolSpec = {
  short: 'hsfiou',
  long: { 'no-header': 'h' },
  *run(r) {
    if (r.bb) out(r, 'USER\t\tTTY\t\tIDLE\tTIME\t\t HOST\n');
    else if (!r.options.has('h')) out(r, `${uptimeLine(r.p)}USER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n`);
    return 0;
  },
};

export const LOGNAME: ToolSpec = {
  short: '',
  *run(r) {
    return error(r, r.bb ? 'getlogin: No such file or directory' : 'no login name');
  },
};

export const GROUPS: ToolSpec = {
  short: '',
  *run(r) {
    let status = 0;
    for (const name of r.args.length ? r.args : [null]) {
      const who = account(r.p, name ?? r.p.uid);
      if (!who && name !== null) {
        status = error(r, r.bb ? `unknown user ${name}` : `'${name}': no such user`);
        continue;
      }
      const gid = who?.gid ?? 0;
      out(r, `${name === null ? '' : `${name} : `}${groupName(r.p, gid) ?? gid}\n`);
    }
    return status;
  },
};

export const arch: Program = function* (p) {
  print(p, 'x86_64\n');
  return 0;
};
