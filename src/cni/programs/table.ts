// What lies in /opt/cni/bin.
import type { Program } from '../../linux/types.ts';
import { bridgePlugin, ptpPlugin } from './bridge.ts';
import { hostLocal } from './host-local.ts';
import { firewallPlugin, loopbackPlugin, tuningPlugin } from './meta.ts';
import { portmapPlugin } from './portmap.ts';
import { pluginProgram } from './skel.ts';

export const CNI_BIN: Record<string, Program> = {
  bridge: pluginProgram(bridgePlugin),
  firewall: pluginProgram(firewallPlugin),
  'host-local': pluginProgram(hostLocal),
  loopback: pluginProgram(loopbackPlugin),
  portmap: pluginProgram(portmapPlugin),
  ptp: pluginProgram(ptpPlugin),
  tuning: pluginProgram(tuningPlugin),
};
