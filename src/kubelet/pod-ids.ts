// What a runtime draws for itself, derived from ids that are kept: the same in every process that looks at the pod.
import { hex, stringToBytes } from '../sim/bytes.ts';
import { sha256 } from '../sim/sha256.ts';

const digest = (text: string): string => hex(sha256(stringToBytes(text)));

/** The file of a sandbox's network namespace: sixteen random bytes (containerd 2.2 pkg/netns/netns_linux.go). */
export function netnsFile(sandboxId: string): string {
  const h = digest(`netns ${sandboxId}`);
  return `cni-${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20, 32)}`;
}

/** Sandboxes come before the containers in them. */
const FIRST_PID = { sandbox: 3000, container: 70_000 };

/** The number on the machine of a sandbox's or container's first process: it does not depend on who is looked at first. */
export const firstPid = (kind: keyof typeof FIRST_PID, id: string): number =>
  FIRST_PID[kind] + Number.parseInt(digest(`pid ${id}`).slice(0, 4), 16);
