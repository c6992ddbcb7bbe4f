import type { Program } from '../../linux/types.ts';
import type { Userland } from '../userland.ts';

/** A parsed image reference. `repository` without the registry: library/nginx. `tag` is '' when only a digest was given. */
export interface Reference {
  registry: string;
  repository: string;
  tag: string;
  digest: string | null;
}

export interface Image {
  /** As it was asked for. */
  name: string;
  userland: Userland;
  /** `uid`, `uid:gid` or a name of passwd. */
  user: string;
  workdir: string;
  env: Record<string, string>;
  entrypoint: string[];
  cmd: string[];
  /** EXPOSE, TCP. */
  ports: number[];
  /** Whose programs it has: rows of programs.ts. */
  packages: string[];
  /** Absolute path -> content. A path that ends in / is an empty directory; a content that begins with `->` a symlink. */
  files: Record<string, string>;
  sizeBytes: number;
  /** The image's own executables. */
  programs: Record<string, Program>;
  /** Its own command does nothing, and says nothing, until a packet or a signal comes. */
  waits: boolean;
}

export interface ImageRow {
  /** Repository: docker.io without its registry (`library/nginx`), others with it (`registry.k8s.io/pause`). */
  match: string | RegExp;
  /** Tags that exist; absent: any. */
  tags?: RegExp;
  make: (ref: Reference) => Image;
}
