// What somebody types on a machine to see how it is: modules, units, the journal, its name and clock.
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestCluster, testCluster } from './harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster();
});

const on = (node: string, script: string) => c.node(node, ['sh', '-c', script]);

describe('modules', () => {
  it('are what the machine needs, and what uses them keeps them', () => {
    const list = on('node-1', 'lsmod').out;
    expect(list.split('\n')[0]).toBe('Module                  Size  Used by');
    expect(list).toMatch(/^br_netfilter +\d+ +0$/m);
    expect(list).toMatch(/^bridge +\d+ +1 br_netfilter$/m);
    expect(list).not.toContain('ip_vs');
    const rules = () => Number(/^xt_statistic +\d+ +(\d+)/m.exec(on('node-1', 'lsmod').out)?.[1] ?? 0);
    const before = rules();
    on('node-1', 'iptables -t mangle -A FORWARD -m statistic --mode random --probability 0.5 -j ACCEPT');
    expect(rules()).toBe(before + 1);
    on('node-1', 'iptables -t mangle -D FORWARD -m statistic --mode random --probability 0.5 -j ACCEPT');
    expect(rules()).toBe(before);
    expect(on('node-1', 'modprobe -r bridge')).toMatchObject({ code: 1, err: 'modprobe: FATAL: Module bridge is in use.\n' });
  });

  it('come by hand with what they need, and with the devices that want them', () => {
    expect(on('node-1', 'modprobe ip_vs_rr && lsmod | grep ^ip_vs').out).toBe(
      'ip_vs_rr               12288  0\nip_vs                 221184  1 ip_vs_rr\n',
    );
    expect(on('node-2', 'lsmod | grep -c ^ip_vs').out).toBe('0\n');
    expect(on('node-2', 'grep -c ^dummy /proc/modules; ip link add d0 type dummy; grep -c ^dummy /proc/modules; ip link del d0').out).toBe(
      '0\n1\n',
    );
    expect(on('node-1', 'modprobe nosuch')).toMatchObject({
      code: 1,
      err: 'modprobe: FATAL: Module nosuch not found in directory /lib/modules/6.8.0-87-generic\n',
    });
  });
});

describe('systemctl', () => {
  it('masks and disables: what is masked does not start', () => {
    expect(on('node-3', 'systemctl mask --now kubelet; systemctl is-enabled kubelet; systemctl start kubelet')).toMatchObject({
      out: 'masked\n',
      code: 1,
      err: 'Created symlink /etc/systemd/system/kubelet.service → /dev/null.\nFailed to start kubelet.service: Unit kubelet.service is masked.\n',
    });
    expect(on('node-3', 'systemctl is-active kubelet').out).toBe('inactive\n');
    expect(on('node-3', 'systemctl unmask kubelet; systemctl start kubelet; systemctl is-active nosuch kubelet')).toMatchObject({
      out: 'inactive\nactive\n',
      code: 0,
    });
    expect(on('node-3', 'systemctl disable kubelet; systemctl list-unit-files | grep kubelet; systemctl enable kubelet').out).toBe(
      'kubelet.service    disabled enabled\n',
    );
  });

  it('lists by state and type', () => {
    expect(on('node-1', 'systemctl --failed').out).toBe('  UNIT LOAD ACTIVE SUB DESCRIPTION\n\n0 loaded units listed.\n');
    on('node-2', 'systemctl stop kubelet');
    expect(on('node-2', 'systemctl list-units --type=service').out).not.toContain('kubelet');
    expect(on('node-2', 'systemctl list-units --all').out).toMatch(/kubelet\.service +loaded +inactive +dead /);
    on('node-2', 'systemctl start kubelet');
  });
});

describe('the journal', () => {
  it('knows how urgent a line is, and takes -n and -b alone', () => {
    on('node-2', 'systemctl kill -s KILL kubelet; sleep 1');
    expect(on('node-2', 'journalctl -u kubelet -p warning -o cat -n1').out).toBe("kubelet.service: Failed with result 'signal'.\n");
    expect(on('node-2', 'journalctl -p err -u kubelet').out).toBe('-- No entries --\n');
    expect(on('node-2', 'journalctl -b -u kubelet -n --no-pager').out).toContain('code=killed, status=9/KILL');
    expect(on('node-2', 'journalctl -p loud')).toMatchObject({ code: 1, err: 'Unknown log level loud\n' });
  });
});

describe('its name and clock', () => {
  it('are told as the node tells them', () => {
    const id = c.must(['get', 'node', 'node-1', '-o', 'jsonpath={.status.nodeInfo.machineID}']);
    expect(on('node-1', 'hostnamectl').out).toContain(
      ` Static hostname: node-1\n       Icon name: computer-vm\n         Chassis: vm 🖴\n      Machine ID: ${id}\n`,
    );
    expect(on('node-1', 'timedatectl').out).toMatch(/^ +Local time: Thu 2026-01-01 12:\d\d:\d\d UTC\n/);
    expect(on('node-1', 'hostnamectl set-hostname other').code).toBe(1);
    expect(on('node-1', 'hostname').out).toBe('node-1\n');
  });

  it('has no swap, and as much memory as its node', () => {
    expect(on('node-1', 'swapon --show; swapoff -a; tail -n +2 /proc/swaps')).toMatchObject({ code: 0, out: '', err: '' });
    const capacity = c.must(['get', 'node', 'node-1', '-o', 'jsonpath={.status.capacity.memory}']);
    expect(`${on('node-1', "awk '/^MemTotal/{print $2}' /proc/meminfo").out.trim()}Ki`).toBe(capacity);
  });
});
