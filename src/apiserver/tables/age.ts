// How long ago (k8s.io/apimachinery/pkg/util/duration v0.36.3).

import { parseRfc3339 } from '../../sim/time.ts';
import type { ApiServer } from '../types.ts';

/** HumanDuration. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return seconds % 60 ? `${minutes}m${seconds % 60}s` : `${minutes}m`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return minutes % 60 ? `${hours}h${minutes % 60}m` : `${hours}h`;
  if (hours < 48) return `${hours}h`;
  if (hours < 192) return hours % 24 ? `${Math.trunc(hours / 24)}d${hours % 24}h` : `${Math.trunc(hours / 24)}d`;
  if (hours < 8760 * 2) return `${Math.trunc(hours / 24)}d`;
  const years = Math.trunc(hours / 8760);
  const days = Math.trunc(hours / 24) % 365;
  if (hours < 8760 * 8) return days ? `${years}y${days}d` : `${years}y`;
  return `${years}y`;
}

/** The AGE cell. */
export function age(server: ApiServer, timestamp: string | null | undefined): string {
  if (!timestamp) return '<unknown>';
  const at = parseRfc3339(timestamp);
  return at === null ? '<invalid>' : humanDuration(server.sim.nowMs - at);
}
