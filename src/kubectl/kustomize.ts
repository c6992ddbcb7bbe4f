import type { KubeObject } from '../apiserver/types.ts';
import type { Cmd } from './command.ts';
import { type Failure, fail } from './failure.ts';

export function* kustomizeObjects(_cmd: Cmd, _dir: string): Generator<KubeObject | Failure> {
  fail('not here yet');
}
