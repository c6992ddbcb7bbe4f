// What kubeadm and the packages of containerd and the kubelet leave on a machine, and the log files of its containers.
import { listObjects } from '../../apiserver/store.ts';
import type { ContainerRuntime, LogLine } from '../../kubelet/types.ts';
import { type DirNode, type Filesystem, type FsNode, newDir, newFile, place } from '../../linux/vfs.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import { rfc3339Micro } from '../../sim/time.ts';
import { dnsAddresses } from '../bootstrap.ts';
import { kubeletConfig } from '../kubeadm.ts';
import { pkiFiles } from '../pki.ts';
import type { NodeRuntime } from '../types.ts';
import { DAEMON_BINARIES } from './binaries.ts';
import { placeManifests } from './manifests.ts';
import { UNITS } from './state.ts';
import { packaged } from './unit-control.ts';

export function placeHostFiles(node: NodeRuntime, fs: Filesystem): void {
  const { config } = node.engine;
  const put = (path: string, text: string, mode = 0o644) => place(fs, path, newFile(text, mode));
  placeManifests(node, fs);
  const { files, links } = pkiFiles(node.engine.server, config, node.spec, node.apiServer);
  for (const f of files)
    place(
      fs,
      f.path,
      newFile(() => stringToBytes(f.text()), f.mode),
    );
  // kubeadm init's own advice: cp -i /etc/kubernetes/admin.conf $HOME/.kube/config
  const admin = files.find(f => f.path === '/etc/kubernetes/admin.conf');
  if (admin)
    place(
      fs,
      '/root/.kube/config',
      newFile(() => stringToBytes(admin.text()), admin.mode),
    );
  for (const [path, target] of links) place(fs, path, { kind: 'symlink', target, mtimeMs: 0 });
  put('/var/lib/kubelet/config.yaml', kubeletConfig(dnsAddresses(config), 'unix:///var/run/containerd/containerd.sock'));
  put('/var/lib/kubelet/kubeadm-flags.env', 'KUBELET_KUBEADM_ARGS=""\n');
  // What kubeadm's guide has one write before.
  put('/etc/modules-load.d/k8s.conf', 'overlay\nbr_netfilter\n');
  put(
    '/etc/sysctl.d/k8s.conf',
    'net.bridge.bridge-nf-call-iptables  = 1\nnet.bridge.bridge-nf-call-ip6tables = 1\nnet.ipv4.ip_forward                 = 1\n',
  );
  put('/etc/sysctl.conf', '');
  put('/etc/default/kubelet', 'KUBELET_EXTRA_ARGS=\n');
  put('/etc/crictl.yaml', 'runtime-endpoint: unix:///run/containerd/containerd.sock\n');
  put(
    '/etc/containerd/config.toml',
    'version = 3\n\n[plugins."io.containerd.cri.v1.runtime".cni]\n  bin_dirs = ["/opt/cni/bin"]\n  conf_dir = "/etc/cni/net.d"\n',
  );
  for (const name of Object.keys(UNITS)) for (const [path, text] of packaged(name)) put(path, text);
  for (const [path, program] of Object.entries(DAEMON_BINARIES)) place(fs, path, { ...newFile('', 0o755), program });
  place(
    fs,
    '/var/log/pods',
    listing(() => podLogs(node)),
  );
  place(
    fs,
    '/var/log/containers',
    listing(() => containerLogs(node)),
  );
}

function listing(list: () => Map<string, FsNode>): DirNode {
  const d = newDir(0o755);
  d.dynamic = list;
  d.readOnly = true;
  return d;
}

function directory(entries: Map<string, FsNode>): DirNode {
  const d = newDir(0o755);
  d.entries = entries;
  d.readOnly = true;
  return d;
}

/** As containerd writes them: time, stream, F for a whole line, text. */
const logText = (lines: LogLine[]): string =>
  lines.map(l => `${rfc3339Micro(l.atMs).replace('Z', '000Z')} ${l.stream} ${l.full ? 'F' : 'P'} ${l.text}\n`).join('');

const logFile = (lines: LogLine[]): FsNode => ({ ...newFile(() => stringToBytes(logText(lines)), 0o640), readOnly: true });

interface Found {
  folder: string;
  pod: string;
  namespace: string;
  containers: ContainerRuntime[];
}

function started(node: NodeRuntime): Found[] {
  return listObjects(node.engine.server, 'pods')
    .filter(p => p.spec?.nodeName === node.spec.name)
    .flatMap(p => {
      const { name, namespace = '', uid = '', annotations } = p.metadata;
      const rt = node.kubelet.pods.get(uid);
      const containers = [...(rt?.containers.values() ?? [])].filter(c => c.id);
      // A static pod's folder has its manifest's hash for a uid.
      const id = annotations?.['kubernetes.io/config.hash'] ?? uid;
      return containers.length ? [{ folder: `${namespace}_${name}_${id}`, pod: name, namespace, containers }] : [];
    });
}

function podLogs(node: NodeRuntime): Map<string, FsNode> {
  const ofContainer = (c: ContainerRuntime) => {
    const files = new Map<string, FsNode>();
    if (c.previousLog && c.restartCount) files.set(`${c.restartCount - 1}.log`, logFile(c.previousLog));
    files.set(`${c.restartCount}.log`, logFile(c.log));
    return directory(files);
  };
  return new Map(started(node).map(f => [f.folder, directory(new Map(f.containers.map(c => [c.name, ofContainer(c)])))]));
}

function containerLogs(node: NodeRuntime): Map<string, FsNode> {
  return new Map(
    started(node).flatMap(f =>
      f.containers.map((c): [string, FsNode] => [
        `${f.pod}_${f.namespace}_${c.name}-${c.id}.log`,
        { kind: 'symlink', target: `/var/log/pods/${f.folder}/${c.name}/${c.restartCount}.log`, mtimeMs: 0 },
      ]),
    ),
  );
}
