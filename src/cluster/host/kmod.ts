// lsmod, modprobe and modinfo (kmod 30): the kernel's modules are what the machine needs, and what somebody loads.
import { findModule, loadedModules } from '../../linux/modules.ts';
import { complain, print } from '../../linux/process.ts';
import type { Kernel, Process, Program } from '../../linux/types.ts';
import type { NodeRuntime } from '../types.ts';

const lsmod: Program = function* (p) {
  print(p, 'Module                  Size  Used by\n');
  for (const m of loadedModules(p.kernel)) {
    const users = m.users.length ? ` ${m.users.join(',')}` : '';
    print(p, `${m.name.padEnd(19)} ${String(m.sizeBytes).padStart(8)}  ${m.uses}${users}\n`);
  }
  return 0;
};

const folder = (kernel: Kernel): string => `/lib/modules/${kernel.release}`;

function modprobe(node: NodeRuntime): Program {
  return function* (p) {
    const flags = p.argv.slice(1).filter(a => a.startsWith('-'));
    const names = p.argv.slice(1).filter(a => !a.startsWith('-'));
    if (!names.length) {
      complain(p, 'modprobe: ERROR: missing parameters. See -h.\n');
      return 1;
    }
    const quiet = flags.some(f => /^(-[a-z]*q[a-z]*|--quiet)$/.test(f));
    const removing = flags.some(f => /^(-[a-z]*r[a-z]*|--remove)$/.test(f));
    // Without -a, the words behind the name are its parameters.
    const wanted = removing || flags.some(f => /^(-[a-z]*a[a-z]*|--all)$/.test(f)) ? names : names.slice(0, 1);
    let status = 0;
    for (const name of wanted) status = (removing ? unload(p, name) : load(node, p, name, quiet)) || status;
    return status;
  };
}

function load(node: NodeRuntime, p: Process, name: string, quiet: boolean): number {
  const module = findModule(name);
  if (!module) {
    if (!quiet) complain(p, `modprobe: FATAL: Module ${name} not found in directory ${folder(p.kernel)}\n`);
    return 1;
  }
  if (loadedModules(p.kernel).some(m => m.name === module.name)) return 0;
  node.host.modules = [...(node.host.modules ?? []), module.name];
  p.kernel.modules = node.host.modules;
  return 0;
}

/** What is in use stays; the rest would have to take its sysctls and tables with it, which podnet does not model. */
function unload(p: Process, name: string): number {
  const module = findModule(name);
  if (!module) {
    complain(p, `modprobe: FATAL: Module ${name} not found.\n`);
    return 1;
  }
  const loaded = loadedModules(p.kernel).find(m => m.name === module.name);
  if (!loaded) return 0;
  complain(
    p,
    loaded.users.length
      ? `modprobe: FATAL: Module ${module.name} is in use.\n`
      : `podnet: ${module.name} stays loaded: modules are not taken away here\n`,
  );
  return 1;
}

const modinfo: Program = function* (p) {
  let status = 0;
  for (const name of p.argv.slice(1).filter(a => !a.startsWith('-'))) {
    const m = findModule(name);
    if (m) {
      const rows = [
        ['filename', `${folder(p.kernel)}/kernel/${m.name}.ko`],
        ['depends', m.needs.join(',')],
        ['name', m.name],
        ['vermagic', `${p.kernel.release} SMP preempt mod_unload modversions `],
      ];
      print(p, rows.map(([key, value]) => `${`${key}:`.padEnd(16)}${value}\n`).join(''));
    } else {
      complain(p, `modinfo: ERROR: Module ${name} not found.\n`);
      status = 1;
    }
  }
  return status;
};

export const kmodPrograms = (node: NodeRuntime): Record<string, Program> => ({
  '/usr/sbin/lsmod': lsmod,
  '/usr/sbin/modprobe': modprobe(node),
  '/usr/sbin/modinfo': modinfo,
});
