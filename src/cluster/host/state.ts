// What a machine's init system and journal know: its units, since when they are as they are, and what they wrote.
import type { LogEntry } from '../../kubelet/types.ts';
import type { NodeRuntime } from '../types.ts';
import type { KubeletSettings } from './kubelet-start.ts';
import { klogTime } from './time-text.ts';

export interface Unit {
  active: boolean;
  sinceMs: number;
  /** When its last run had begun; null: it runs its first. */
  startedMs: number;
  pid: number;
  /** Its last start failed, and it is tried again: how the process ended, and how often it has been tried. */
  failing?: { status: number; line: string; restarts: number };
  /** Its files as systemd has loaded them, once they have changed on disk since; absent: as they are. */
  loaded?: [path: string, text: string][];
  /** What the next boot would do with it; absent: enabled. */
  disabled?: boolean;
  masked?: boolean;
  /** What is run, when it is not what the packages wrote. */
  argv?: string[];
}

export interface JournalLine {
  atMs: number;
  unit: string;
  /** `systemd[1]`, `kubelet[812]`. */
  by: string;
  text: string;
}

/** Plain JSON, kept by the session. */
export interface HostState {
  units: Record<string, Unit>;
  journal: JournalLine[];
  nextPid: number;
  /** Modules that modprobe has loaded. */
  modules?: string[];
  /** What the running kubelet has read; absent: kubeadm's configuration. Pods that started before `sinceMs` know nothing of it. */
  kubelet?: KubeletSettings & { sinceMs: number };
}

export const UNITS: Record<string, { description: string; docs: string; exec: string; dropIn?: string }> = {
  kubelet: {
    description: 'kubelet: The Kubernetes Node Agent',
    docs: 'https://kubernetes.io/docs/',
    exec: '/usr/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml',
    dropIn: '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf',
  },
  containerd: { description: 'containerd container runtime', docs: 'https://containerd.io', exec: '/usr/bin/containerd' },
};

const MAX_LINES = 400;

/** As after a boot: everything has run since `bootedMs`. */
export const newHost = (bootedMs: number): HostState => ({
  units: {
    containerd: { active: true, sinceMs: bootedMs, startedMs: bootedMs, pid: 612 },
    kubelet: { active: true, sinceMs: bootedMs, startedMs: bootedMs, pid: 845 },
  },
  journal: ['containerd', 'kubelet'].map(unit => ({ atMs: bootedMs, unit, by: 'systemd[1]', text: startedText(unit) })),
  nextPid: FIRST_FREE_PID,
});

const FIRST_FREE_PID = 2210;

export const startedText = (unit: string): string => `Started ${unit}.service - ${UNITS[unit].description}.`;

/** Is there anything that a new machine would not have by itself? */
export const hostHasHistory = (h: HostState): boolean =>
  h.nextPid !== FIRST_FREE_PID ||
  h.journal.length !== 2 ||
  !!h.kubelet ||
  !!h.modules ||
  Object.values(h.units).some(u => !u.active || !!u.loaded || !!u.disabled || !!u.masked);

export function journal(node: NodeRuntime, unit: string, text: string, by = 'systemd[1]'): void {
  const { host } = node;
  host.journal.push({ atMs: node.engine.server.sim.nowMs, unit, by, text });
  if (host.journal.length > MAX_LINES) host.journal.splice(0, host.journal.length - MAX_LINES);
}

/** The kubelet's own line, in klog's form. */
export function kubeletLog(node: NodeRuntime, e: LogEntry): void {
  const unit = node.host.units.kubelet;
  journal(
    node,
    'kubelet',
    `${e.level}${klogTime(node.engine.server.sim.nowMs)} ${String(unit.pid).padStart(7)} ${e.source}] ${e.text}`,
    `kubelet[${unit.pid}]`,
  );
}

export const unitFile = (name: string): string => {
  const { description, docs, exec, dropIn } = UNITS[name];
  return `[Unit]\nDescription=${description}\nDocumentation=${docs}\nWants=network-online.target\nAfter=network-online.target\n\n[Service]\nExecStart=${dropIn ? exec.split(' ')[0] : exec}\nRestart=always\nStartLimitInterval=0\nRestartSec=10\n\n[Install]\nWantedBy=multi-user.target\n`;
};

/** What kubeadm's package adds to the kubelet's unit: where its words come from. */
export const KUBEADM_DROP_IN = `[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;
