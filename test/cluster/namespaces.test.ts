// Pods' namespaces as a node's administrator finds them: their files, their numbers, who is in them and the way into them.
import { beforeAll, describe, expect, it } from 'vitest';
import { serverPod, type TestCluster, testCluster, toolPod } from './harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster();
  c.apply(serverPod('bakery', { app: 'bakery' }, { nodeName: 'node-1' }));
  const peek = toolPod('peek', { nodeName: 'node-1' });
  c.apply({ ...peek, spec: { ...peek.spec, hostPID: true, hostNetwork: true } });
  c.rest();
});

const on = (script: string) => c.node('node-1', ['sh', '-c', script]);
const bakeryId = () => on('crictl pods -q --name ^bakery').out.trim();
const sandbox = () => JSON.parse(on(`crictl inspectp ${bakeryId()}`).out);
const FILE = /^cni-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe("a pod's network namespace on its node", () => {
  it("has a file, which the runtime, iproute2 and the veth's other end name alike", () => {
    const path = sandbox().info.runtimeSpec.linux.namespaces.find((n: { type: string }) => n.type === 'network').path;
    const file = path.replace('/var/run/netns/', '');
    expect(file).toMatch(FILE);
    expect(on('ls /var/run/netns').out.split('\n')).toContain(file);
    expect(on('ip netns list').out).toMatch(new RegExp(`^${file} \\(id: \\d+\\)$`, 'm'));
    const address = c.must(['get', 'pod', 'bakery', '-o', 'jsonpath={.status.podIP}']);
    const device = on(`ip route get ${address} | grep -o 'cali[0-9a-f]*'`).out.trim();
    expect(on(`ip link show ${device}`).out).toContain(` link-netns ${file}\n`);
    expect(on(`ip netns exec ${file} ip -4 -o addr show eth0`).out).toContain(`inet ${address}/32`);
    expect(on(`ip netns exec ${file} ip link show eth0`).out).toContain(' link-netnsid 0\n');
  });

  it('is numbered for who does not see its file', () => {
    expect(c.must(['exec', 'peek', '--', 'ip', 'netns', 'list'])).toBe('');
    expect(c.must(['exec', 'peek', '--', 'sh', '-c', "ip link | grep -A1 '^[0-9]*: cali'"])).toMatch(/ link-netnsid \d+\n/);
  });

  it('holds the sandbox and its container, whose numbers lead back to it', () => {
    const { pid } = sandbox().info;
    const container = on(`crictl ps -q --pod ${bakeryId()}`).out.trim();
    const first = on(`crictl inspect --output go-template --template '{{.info.pid}}' ${container}`).out.trim();
    const file = on(`ip netns identify ${first}`).out.trim();
    expect(file).toMatch(FILE);
    expect(on(`ip netns pids ${file}`).out).toBe(`${pid}\n${first}\n`);
    expect(on(`ps -p ${pid} -o args; cat /proc/${pid}/comm`).out).toContain('pause');
    const inode = on(`readlink /proc/${first}/ns/net`).out.trim().replace(/\D/g, '');
    const row = on('lsns -t net')
      .out.split('\n')
      .find(l => l.startsWith(inode));
    expect(row).toMatch(new RegExp(`^${inode} net +2 +${pid} 65535 +\\d+ /run/netns/${file} /pause$`));
  });
});

describe("a container's processes", () => {
  it('are listed by their own numbers, the first one first', () => {
    c.apply(toolPod('inner', { nodeName: 'node-1' }));
    c.rest();
    const pids = c.must(['exec', 'inner', '--', 'sh', '-c', "ps -o pid | sed 1d; ls /proc | grep '^[0-9]'"]).trim().split(/\s+/);
    expect(pids[0]).toBe('1');
    const listed = pids.slice(0, pids.indexOf('1', 1)).map(Number);
    expect(listed).toEqual([...listed].sort((a, b) => a - b));
    expect(listed.length).toBeGreaterThan(2);
  });
});

describe('nsenter', () => {
  it('takes the network alone, with the tools of the node, or all there is', () => {
    const container = on(`crictl ps -q --pod ${bakeryId()}`).out.trim();
    const pid = on(`crictl inspect ${container} | jq .info.pid`).out.trim();
    const file = on(`ip netns identify ${pid}`).out.trim();
    expect(on(`nsenter -t ${pid} -n hostname`).out).toBe('node-1\n');
    expect(on(`nsenter -t ${pid} -n ss -Htln`).out).toContain('*:8080 ');
    expect(on(`nsenter --net=/var/run/netns/${file} ip -br -4 addr show eth0`).out).toContain(
      c.must(['get', 'pod', 'bakery', '-o', 'jsonpath={.status.podIP}']),
    );
    expect(on(`nsenter -at ${pid} hostname`).out).toBe('bakery\n');
    expect(on(`nsenter -m -u -p -t ${pid} sh -c 'hostname; ip -br link | grep -c cali'`).out).toMatch(/^bakery\n[1-9]/);
  });

  it('says what it does not find', () => {
    expect(on('nsenter -n true')).toMatchObject({ code: 1, err: 'nsenter: neither filename nor target pid supplied for ns/net\n' });
    expect(on('nsenter -t 9 -n true')).toMatchObject({ code: 1, err: 'nsenter: cannot open /proc/9/ns/net: No such file or directory\n' });
    expect(on('nsenter --net=/run/netns/none true').err).toBe('nsenter: cannot open /run/netns/none: No such file or directory\n');
    expect(on('nsenter -t 1 -n nothere')).toMatchObject({
      code: 127,
      err: 'nsenter: failed to execute nothere: No such file or directory\n',
    });
    expect(on('lsns -t pods')).toMatchObject({ code: 1, err: 'lsns: unknown namespace type: pods\n' });
  });
});

describe('process numbers', () => {
  it("are a container's own, in /proc as in ps", () => {
    expect(c.must(['exec', 'bakery', '--', 'sh', '-c', 'ls -d /proc/[0-9]* | head -1; readlink /proc/self/../1/ns/net'])).toMatch(
      /^\/proc\/1\nnet:\[\d+\]\n$/,
    );
    expect(c.must(['exec', 'bakery', '--', 'cat', '/proc/1/status'])).toMatch(/^Pid:\t1$/m);
  });

  it('are one for a component, whatever it listens with', () => {
    const [pid, ...more] = on("pgrep -f '^/usr/local/bin/kube-proxy'").out.trim().split('\n');
    expect(more).toEqual([]);
    const ports = on('netstat -tlnp | grep kube-proxy').out.trim().split('\n');
    expect(ports.length).toBeGreaterThan(1);
    for (const line of ports) expect(line).toContain(` ${pid}/kube-proxy`);
  });

  it("are the node's with hostPID", () => {
    expect(c.must(['exec', 'peek', '--', 'ps', '-ef'])).toMatch(/ \/usr\/bin\/kubelet /);
    expect(c.must(['exec', 'bakery', '--', 'ps', '-ef'])).not.toMatch(/kubelet/);
  });
});
