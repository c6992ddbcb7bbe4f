// kubeadm certs check-expiration: the files' own dates (cmd/kubeadm/app/cmd/certs.go v1.36.3).

import { load } from 'js-yaml';
import { getObject } from '../../../apiserver/store.ts';
import { humanDuration } from '../../../apiserver/tables/age.ts';
import { print } from '../../../linux/process.ts';
import type { Process } from '../../../linux/types.ts';
import { bytesToString, unbase64 } from '../../../sim/bytes.ts';
import { civilTime, twoDigits } from '../../../sim/time.ts';
import { certificatesIn } from '../../../userland/x509.ts';
import { apiserverUp } from '../../control-plane.ts';
import { AUTHORITIES, KUBECONFIGS, leaves, PKI } from '../../pki.ts';
import type { NodeRuntime } from '../../types.ts';
import { textAt } from '../unit-files.ts';
import { failed, tabbed } from './words.ts';

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

function date(ms: number): string {
  const t = civilTime(ms);
  return `${MONTHS[t.month - 1]} ${twoDigits(t.day)}, ${t.year} ${twoDigits(t.hour)}:${twoDigits(t.minute)} UTC`;
}

/** The certificate in a kubeconfig, or the file itself. */
function pemAt(node: NodeRuntime, path: string): string | null {
  const text = textAt(node.look().rootfs, path);
  if (text === null || !path.endsWith('.conf')) return text;
  try {
    const data = (load(text) as any)?.users?.[0]?.user?.['client-certificate-data'];
    return bytesToString(unbase64(data ?? '') ?? new Uint8Array(0));
  } catch {
    return '';
  }
}

export function checkExpiration(node: NodeRuntime, p: Process, args: string[]): number {
  const at = args.findIndex(w => w.startsWith('--cert-dir'));
  const dir = at < 0 ? PKI : (args[at].split('=')[1] ?? args[at + 1] ?? PKI);
  const said = (text: string) => print(p, `[check-expiration] ${text}\n`);
  if (textAt(node.look().rootfs, '/etc/kubernetes/admin.conf') !== null) {
    said('Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...');
    said("Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it.");
    if (!apiserverUp(node.engine) || !getObject(node.engine.server, 'configmaps', 'kube-system', 'kubeadm-config')) {
      said('Error reading configuration from the Cluster. Falling back to default configuration');
    }
    print(p, '\n');
  }
  const now = node.engine.server.sim.nowMs;
  const files = [
    ...Object.keys(KUBECONFIGS).map(name => ({ name, path: `/etc/kubernetes/${name}`, ca: 'ca' })),
    ...leaves(node.engine.config, node.spec).map(l => ({ name: l.file.replace('/', '-'), path: `${dir}/${l.file}.crt`, ca: l.ca.file })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  const withoutKey = (ca: string) => (textAt(node.look().rootfs, `${dir}/${ca}.key`) === null ? 'yes' : 'no').padEnd(8);
  const rows: string[][] = [['CERTIFICATE', 'EXPIRES', 'RESIDUAL TIME', 'CERTIFICATE AUTHORITY', 'EXTERNALLY MANAGED']];
  for (const f of files) {
    const text = pemAt(node, f.path);
    const c = text === null ? undefined : certificatesIn(text)[0];
    if (text === null) rows.push([`!MISSING! ${f.name}`, '', '', '', '']);
    else if (!c)
      return failed(p, `failed to load existing certificate ${f.name.replace(/\.conf$/, '')}: failed to parse certificate ${f.path}`);
    else
      rows.push([
        f.name,
        date(c.notAfterMs),
        humanDuration(Math.floor((c.notAfterMs - now) / 1000) * 1000),
        f.ca.replace('/', '-'),
        withoutKey(f.ca),
      ]);
  }
  const authorities: string[][] = [['CERTIFICATE AUTHORITY', 'EXPIRES', 'RESIDUAL TIME', 'EXTERNALLY MANAGED']];
  for (const a of AUTHORITIES) {
    const c = certificatesIn(pemAt(node, `${dir}/${a.file}.crt`) ?? '')[0];
    const name = a.file.replace('/', '-');
    authorities.push(
      c ? [name, date(c.notAfterMs), humanDuration(c.notAfterMs - now), withoutKey(a.file)] : [`!MISSING! ${name}`, '', '', ''],
    );
  }
  print(p, `${tabbed(rows)}\n${tabbed(authorities)}`);
  return 0;
}
