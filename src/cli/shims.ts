// Commands for a shell: kubectl, k and podnet of this installation, and the network tools of a host outside the cluster.
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';

const quote = (s: string): string => `'${s.replaceAll("'", "'\\''")}'`;

/** Tools that a lab calls on its own machine: they belong to the cluster's network there. */
export const NETWORK_TOOLS = ['curl', 'wget', 'ping', 'nslookup', 'dig', 'host', 'nc', 'traceroute'];

/** Write them below `folder`. -> the folder for PATH */
export function writeShims(folder: string, tools: string[]): string {
  const bin = join(folder, 'bin');
  fs.mkdirSync(bin, { recursive: true });
  const entry = (name: string) => `${quote(process.execPath)} ${quote(resolve(__dirname, '../../bin', name))}`;
  const shim = (name: string, body: string) => {
    const path = join(bin, name);
    const text = `#!/bin/sh\n${body}\n`;
    if (fs.existsSync(path) && fs.readFileSync(path, 'utf8') === text) return;
    fs.writeFileSync(path, text, { mode: 0o755 });
  };
  shim('kubectl', `exec ${entry('kubectl.js')} "$@"`);
  shim('k', `exec ${entry('kubectl.js')} "$@"`);
  shim('podnet', `exec ${entry('podnet.js')} "$@"`);
  for (const tool of tools) {
    // What names this machine itself is this machine's: a port-forward listens there.
    const own = `PATH=$(printf %s "$PATH" | tr : '\\n' | grep -vxF ${quote(bin)} | paste -sd: -) exec ${tool} "$@"`;
    shim(tool, `case " $* " in\n*localhost*|*127.0.0.1*|*'[::1]'*) ${own} ;;\nesac\nexec ${entry('podnet.js')} external -- ${tool} "$@"`);
  }
  return bin;
}
