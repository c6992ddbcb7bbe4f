// ethtool 6.1: settings, driver and statistics, as the kernel's drivers of virtual devices answer (read off Linux 6.18: veth, bridge, vxlan,
// tun). Others answer as a driver does that tells its carrier and nothing else; offloads are not modelled.
import { hasCarrier } from '../../linux/carrier.ts';
import { linkByName } from '../../linux/link.ts';
import { complain, print } from '../../linux/process.ts';
import type { Link, LinkKind, Program } from '../../linux/types.ts';

interface Driver {
  name: string;
  version: string;
  /** firmware-version and bus-info. */
  firmware: string;
  bus: string;
  statistics: boolean;
  speed: string;
  duplex: string;
  port: string;
}

const UNKNOWN = { speed: 'Unknown!', duplex: 'Unknown! (255)', port: 'Other' };
const DRIVERS: Partial<Record<LinkKind, Driver>> = {
  veth: {
    ...{ name: 'veth', version: '1.0', firmware: '', bus: '', statistics: true },
    ...{ speed: '10000Mb/s', duplex: 'Full', port: 'Twisted Pair' },
  },
  bridge: { name: 'bridge', version: '2.3', firmware: 'N/A', bus: 'N/A', statistics: false, ...UNKNOWN },
  vxlan: { name: 'vxlan', version: '0.1', firmware: '', bus: '', statistics: false, ...UNKNOWN },
};

export const ethtool: Program = function* (p) {
  const words = p.argv.slice(1);
  const flag = words[0]?.startsWith('-') ? words.shift() : undefined;
  if (flag === '--version') {
    print(p, 'ethtool version 6.1\n');
    return 0;
  }
  if (words.length !== 1 && flag === undefined) {
    complain(p, 'ethtool: bad command line argument(s)\nFor more information run ethtool -h\n');
    return 1;
  }
  const show = flag === undefined ? settings : SHOWS[flag];
  if (!show || words.length !== 1) {
    complain(p, `ethtool: podnet does not model ${JSON.stringify([flag, ...words].join(' '))}: DEVICE, -i and -S are there\n`);
    return 1;
  }
  const link = linkByName(p.netns, words[0]);
  if (link) {
    const said = show(link);
    (said.error ? complain : print)(p, said.text);
    return said.error ?? 0;
  }
  if (flag === undefined) {
    complain(p, 'netlink error: no device matches name (offset 24)\nnetlink error: No such device\n'.repeat(5));
    print(p, 'No data available\n');
    return 75;
  }
  const what = flag === '-S' || flag === '--statistics' ? 'Cannot get stats strings information' : 'Cannot get driver information';
  complain(p, `${what}: No such device\n`);
  return flag === '-S' || flag === '--statistics' ? 96 : 71;
};

type Shown = { text: string; error?: number };

function settings(link: Link): Shown {
  const d = DRIVERS[link.kind];
  const carrier = `\tLink detected: ${hasCarrier(link) ? 'yes' : 'no'}\n`;
  if (!d) return { text: `Settings for ${link.name}:\n${carrier}` };
  const rows = [
    'Supported ports: [  ]',
    'Supported link modes:   Not reported',
    'Supported pause frame use: No',
    'Supports auto-negotiation: No',
    'Supported FEC modes: Not reported',
    'Advertised link modes:  Not reported',
    'Advertised pause frame use: No',
    'Advertised auto-negotiation: No',
    'Advertised FEC modes: Not reported',
    `Speed: ${d.speed}`,
    `Duplex: ${d.duplex}`,
    'Auto-negotiation: off',
    `Port: ${d.port}`,
    'PHYAD: 0',
    'Transceiver: internal',
    ...(d.port === 'Twisted Pair' ? ['MDI-X: Unknown'] : []),
  ];
  return { text: `Settings for ${link.name}:\n${rows.map(r => `\t${r}\n`).join('')}${carrier}` };
}

function driver(link: Link): Shown {
  const d = DRIVERS[link.kind];
  if (!d) return { text: 'Cannot get driver information: Operation not supported\n', error: 71 };
  const no = ['test', 'eeprom-access', 'register-dump', 'priv-flags'].map(what => `supports-${what}: no\n`).join('');
  const head = `driver: ${d.name}\nversion: ${d.version}\nfirmware-version: ${d.firmware}\nexpansion-rom-version: \nbus-info: ${d.bus}\n`;
  return { text: `${head}supports-statistics: ${d.statistics ? 'yes' : 'no'}\n${no}` };
}

/** Nothing of podnet's is XDP: those counters stand still. */
function statistics(link: Link): Shown {
  if (link.kind !== 'veth') return { text: 'no stats available\n', error: 94 };
  const queue = ['xdp_packets', 'xdp_bytes', 'drops', 'xdp_redirect', 'xdp_drops', 'xdp_tx', 'xdp_tx_errors'].map(n => `rx_queue_0_${n}`);
  const zeros = [...queue, 'tx_queue_0_xdp_xmit', 'tx_queue_0_xdp_xmit_errors'].map(n => `     ${n}: 0\n`).join('');
  return { text: `NIC statistics:\n     peer_ifindex: ${link.peer?.ifindex ?? 0}\n${zeros}` };
}

const SHOWS: Record<string, (link: Link) => Shown> = { '-i': driver, '--driver': driver, '-S': statistics, '--statistics': statistics };
