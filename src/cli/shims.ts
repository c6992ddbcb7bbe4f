// Commands for a shell: kubectl, k and podnet of this installation, and the network tools of a host outside the cluster.
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';

const quote = (s: string): string => `'${s.replaceAll("'", "'\\''")}'`;

/** Tools that a lab calls on its own machine: they belong to the cluster's network there. */
export const NETWORK_TOOLS = ['curl', 'wget', 'ping', 'nslookup', 'dig', 'host', 'nc', 'traceroute'];

/** Tools that a lab calls on the control plane's machine, which is its own. */
export const NODE_TOOLS =
  'ip ss ssh iptables iptables-save iptables-restore ip6tables ip6tables-save ipset ipvsadm nft conntrack tcpdump crictl systemctl journalctl kubeadm'.split(
    ' ',
  );

/** A lab's commands beside the network's: those of the machine that it takes for its own. */
export function writeNodeShims(bin: string, node: string): void {
  const podnet = `exec ${entry('podnet.js')}`;
  for (const tool of NODE_TOOLS) shim(bin, tool, `${podnet} node ${quote(node)} -- ${tool} "$@"`);
  // What is asked of this machine by name is the control plane's, unless something listens on that port here (a port-forward).
  for (const tool of NETWORK_TOOLS)
    shim(
      bin,
      tool,
      `case " $* " in
*localhost*|*127.0.0.1*|*'[::1]'*)
  port=$(printf '%s\\n' "$*" | sed -nE 's/.*(localhost|127\\.0\\.0\\.1|\\[::1\\])[: ]([0-9]+).*/\\2/p')
  if [ -r /proc/net/tcp ]; then grep -qiE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "\${port:-80}") [0-9A-F:]+ 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null
  else bash -c "exec 3<>/dev/tcp/127.0.0.1/\${port:-80}" 2>/dev/null
  fi && ${own(bin, tool)}
  ${podnet} node ${quote(node)} -- ${tool} "$@" ;;
esac
${podnet} external -- ${tool} "$@"`,
    );
}

const entry = (name: string) => `${quote(process.execPath)} ${quote(resolve(__dirname, '../../bin', name))}`;

/** The real machine's tool of that name. */
const own = (bin: string, tool: string) =>
  `PATH=$(printf %s "$PATH" | tr : '\\n' | grep -vxF ${quote(bin)} | paste -sd: -) exec ${tool} "$@"`;

function shim(bin: string, name: string, body: string): void {
  const path = join(bin, name);
  const text = `#!/bin/sh\n${body}\n`;
  if (fs.existsSync(path) && fs.readFileSync(path, 'utf8') === text) return;
  fs.writeFileSync(path, text, { mode: 0o755 });
}

/** Write them below `folder`. -> the folder for PATH */
export function writeShims(folder: string, tools: string[]): string {
  const bin = join(folder, 'bin');
  fs.mkdirSync(bin, { recursive: true });
  shim(bin, 'kubectl', `exec ${entry('kubectl.js')} "$@"`);
  shim(bin, 'k', `exec ${entry('kubectl.js')} "$@"`);
  shim(bin, 'podnet', `exec ${entry('podnet.js')} "$@"`);
  for (const tool of tools) {
    // What names this machine itself is this machine's: a port-forward listens there.
    const here = own(bin, tool);
    shim(
      bin,
      tool,
      `case " $* " in\n*localhost*|*127.0.0.1*|*'[::1]'*) ${here} ;;\nesac\nexec ${entry('podnet.js')} external -- ${tool} "$@"`,
    );
  }
  return bin;
}
