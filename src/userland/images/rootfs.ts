// A container's file system from its image. A thousand pods of one image share one tree: a directory is copied when somebody first looks into it.

import { setProgramLoader } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import {
  type DirNode,
  ensureDir,
  type FileNode,
  type Filesystem,
  type FsNode,
  lazyFilesystem,
  newDir,
  newFile,
  newFilesystem,
  place,
} from '../../linux/vfs.ts';
import { bytesToString, stringToBytes } from '../../sim/bytes.ts';
import { writePipe } from '../../sim/pipe.ts';
import { bytes as randomBytes } from '../../sim/random.ts';
import { type ProgramRow, programFor, programsOf } from '../programs.ts';
import type { Userland } from '../userland.ts';
import type { Image } from './types.ts';

const templates = new Map<string, Filesystem>();

/** The root of a new container of this image. */
export const buildRootfs = (image: Image): Filesystem => lazyFilesystem(() => lazyCopy(templateOf(image).root));

function templateOf(image: Image): Filesystem {
  const own = Object.keys(image.programs).length ? image : null;
  // Images with programs of their own are found by identity of the row's answer, the others by what they consist of.
  const key = own ? '' : `${image.name} ${image.packages.join()}`;
  let template = own ? ownTemplates.get(image) : templates.get(key);
  if (!template) {
    template = makeTemplate(image);
    if (own) ownTemplates.set(image, template);
    else templates.set(key, template);
  }
  return template;
}

const ownTemplates = new WeakMap<Image, Filesystem>();

/** A directory that copies its template's entries at the first look. Files are copied as nodes; their bytes stay shared, writing replaces them. */
function lazyCopy(template: DirNode): DirNode {
  let entries: Map<string, FsNode> | null = null;
  const copy = { ...template } as DirNode;
  Object.defineProperty(copy, 'entries', {
    enumerable: true,
    configurable: true,
    get(): Map<string, FsNode> {
      if (entries) return entries;
      entries = new Map();
      for (const [name, node] of template.entries) entries.set(name, node.kind === 'dir' ? lazyCopy(node) : { ...node });
      return entries;
    },
    set(value: Map<string, FsNode>) {
      entries = value;
    },
  });
  return copy;
}

/** A program as a file. Its bytes name the row, so that a copy of the file, or one that a session kept, still runs. */
export function executable(program: Program, row?: ProgramRow, u?: Userland): FileNode {
  const node = newFile(row && u ? programBytes(row, u) : ELF, 0o755);
  node.program = program;
  return node;
}

/** What `cat /bin/ls` would begin with. */
const ELF = new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

const ELF_TEXT = bytesToString(ELF);

/** An image has hundreds of programs and one userland. */
let lastUserland: { u: Userland; text: string } | null = null;

function programBytes(row: ProgramRow, u: Userland): Uint8Array {
  if (lastUserland?.u !== u) lastUserland = { u, text: JSON.stringify(u) };
  return stringToBytes(`${ELF_TEXT}["${row.package}","${row.name}",${lastUserland.text}]`);
}

setProgramLoader(data => {
  if (data.length <= ELF.length || data[0] !== 0x7f || data[ELF.length] !== 0x5b) return null;
  try {
    const [pkg, name, u] = JSON.parse(bytesToString(data.subarray(ELF.length)));
    return programFor(pkg, name, u);
  } catch {
    return null; // some other ELF file
  }
});

function makeTemplate(image: Image): Filesystem {
  const fs = newFilesystem();
  const u = image.userland;
  for (const dir of ['/tmp', '/var/tmp']) ensureDir(fs, dir).mode = 0o1777;
  for (const dir of ['/dev', '/proc', '/sys', '/etc', '/root', '/run', '/var/log', '/usr/bin', '/home', '/var/lib']) ensureDir(fs, dir);
  if (u.distro === 'busybox' || u.distro === 'scratch') ensureDir(fs, '/var/run');
  else place(fs, '/var/run', { kind: 'symlink', target: u.distro === 'alpine' ? '../run' : '/run', mtimeMs: 0 });
  if (image.packages.includes('busybox') || image.packages.includes('coreutils')) ensureDir(fs, '/bin');
  if (u.distro === 'debian' || u.distro === 'ubuntu' || u.distro === 'rhel') mergeUsr(fs);
  for (const pkg of image.packages) installPackage(fs, pkg, u, image.packages);
  installFiles(fs, etcFiles(u));
  installFiles(fs, image.files);
  for (const [path, program] of Object.entries(image.programs)) place(fs, path, executable(program));
  if (image.workdir !== '/') ensureDir(fs, image.workdir);
  addDevices(fs);
  return fs;
}

/** Debian and Red Hat keep one /usr: /bin, /sbin and /lib are links. */
function mergeUsr(fs: Filesystem): void {
  for (const name of ['bin', 'sbin', 'lib']) {
    ensureDir(fs, `/usr/${name}`);
    fs.root.entries.set(name, { kind: 'symlink', target: `usr/${name}`, mtimeMs: 0 });
  }
}

/** Put a package's programs where its distribution has them; BusyBox' applets give way to the full tools of the same name. -> their paths */
export function installPackage(fs: Filesystem, pkg: string, u: Userland, others: string[] = []): string[] {
  const merged = fs.root.entries.get('bin')?.kind === 'symlink';
  const paths: string[] = [];
  const folders = new Map<string, Map<string, FsNode>>();
  const put = (dir: string, row: ProgramRow) => {
    const folder = folders.get(dir) ?? ensureDir(fs, dir).entries;
    folders.set(dir, folder);
    folder.set(
      row.name,
      executable(p => row.make(u)(p), row, u),
    );
    paths.push(`${dir}/${row.name}`);
  };
  if (pkg === 'busybox' && (u.distro === 'debian' || u.distro === 'ubuntu' || u.distro === 'rhel')) {
    const row = programsOf('busybox').find(r => r.name === 'busybox');
    if (row) put('/usr/bin', row);
    return paths;
  }
  for (const row of programsOf(pkg)) {
    let dir = pkg === 'busybox' && u.distro === 'busybox' ? '/bin' : row.dir;
    if (merged && /^\/s?bin$/.test(dir)) dir = `/usr${dir}`;
    if (pkg === 'busybox' && others.some(o => o !== 'busybox' && programsOf(o).some(r => r.name === row.name && r.dir === row.dir)))
      continue;
    put(dir.replace(/\/$/, ''), row);
  }
  return paths;
}

function installFiles(fs: Filesystem, files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    if (path.endsWith('/')) ensureDir(fs, path);
    else if (content.startsWith('->')) place(fs, path, { kind: 'symlink', target: content.slice(2), mtimeMs: 0 });
    else place(fs, path, newFile(content, content.startsWith('#!') ? 0o755 : 0o644));
  }
}

const NAMES: Record<Userland['distro'], string> = {
  debian: 'Debian GNU/Linux',
  ubuntu: 'Ubuntu',
  rhel: 'Rocky Linux',
  alpine: 'Alpine Linux',
  busybox: 'BusyBox',
  scratch: '',
};
const CODENAMES: Record<string, string> = { '11': 'bullseye', '12': 'bookworm', '13': 'trixie' };

function osRelease(u: Userland): string {
  const name = NAMES[u.distro];
  if (u.distro === 'alpine') {
    const v = /^\d+\.\d+$/.test(u.release) ? `${u.release}.0` : u.release;
    return `NAME="${name}"\nID=alpine\nVERSION_ID=${v}\nPRETTY_NAME="${name} v${u.release}"\nHOME_URL="https://alpinelinux.org/"\nBUG_REPORT_URL="https://gitlab.alpinelinux.org/alpine/aports/-/issues"\n`;
  }
  if (u.distro === 'ubuntu')
    return `PRETTY_NAME="Ubuntu ${u.release}.3 LTS"\nNAME="Ubuntu"\nVERSION_ID="${u.release}"\nVERSION="${u.release}.3 LTS (Noble Numbat)"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\nHOME_URL="https://www.ubuntu.com/"\nUBUNTU_CODENAME=noble\n`;
  const code = CODENAMES[u.release] ?? '';
  const version = code ? `${u.release} (${code})` : u.release;
  return `PRETTY_NAME="${name} ${version}"\nNAME="${name}"\nVERSION_ID="${u.release}"\nVERSION="${version}"\n${code ? `VERSION_CODENAME=${code}\n` : ''}ID=${u.distro}\nHOME_URL="https://www.${u.distro}.org/"\n`;
}

function etcFiles(u: Userland): Record<string, string> {
  if (u.distro === 'scratch')
    return {
      '/etc/passwd': 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
      '/etc/group': 'root:x:0:\nnonroot:x:65532:\n',
    };
  const shell = u.distro === 'busybox' || u.distro === 'alpine' ? '/bin/sh' : '/bin/bash';
  const files: Record<string, string> = {
    '/etc/passwd': `root:x:0:0:root:/root:${shell}\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnginx:x:101:101:nginx user:/nonexistent:/bin/false\ncurl_user:x:100:101:Linux User:/home/curl_user:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
    '/etc/group':
      'root:x:0:\ndaemon:x:1:\nbin:x:2:\nadm:x:4:\ntty:x:5:\nwww-data:x:33:\nnginx:x:101:\ncurl_group:x:101:\nnogroup:x:65534:\n',
    '/etc/nsswitch.conf': 'hosts:          files dns\n',
    '/etc/services':
      'ftp\t\t21/tcp\nssh\t\t22/tcp\ntelnet\t\t23/tcp\nsmtp\t\t25/tcp\ndomain\t\t53/tcp\ndomain\t\t53/udp\nhttp\t\t80/tcp\t\twww\nntp\t\t123/udp\nhttps\t\t443/tcp\nmysql\t\t3306/tcp\npostgresql\t5432/tcp\nredis\t\t6379/tcp\nhttp-alt\t8080/tcp\twebcache\n',
    '/etc/protocols': 'ip\t0\tIP\nicmp\t1\tICMP\ntcp\t6\tTCP\nudp\t17\tUDP\nipv6-icmp\t58\tIPv6-ICMP\nsctp\t132\tSCTP\n',
    '/etc/shells': '/bin/sh\n/bin/bash\n',
    '/etc/profile': '',
  };
  if (u.distro !== 'busybox') files['/etc/os-release'] = osRelease(u);
  if (u.distro === 'alpine') files['/etc/alpine-release'] = `${u.release}.0\n`;
  if (u.distro === 'debian') files['/etc/debian_version'] = `${u.release}.12\n`;
  return files;
}

const EMPTY = new Uint8Array(0);

/** A device: `read` makes what reading gives, `write` says where writing goes. */
function device(read: (p: Process | null) => Uint8Array, write: (data: Uint8Array, p: Process | null) => void): FileNode {
  const node = newFile(read, 0o666);
  node.onWrite = (data, p) => {
    write(data, p);
    return null;
  };
  return node;
}

/** What a read of an endless device gives at once. */
const ENDLESS = 65_536;

function addDevices(fs: Filesystem): void {
  const dev = ensureDir(fs, '/dev').entries;
  const nowhere = () => {};
  dev.set(
    'null',
    device(() => EMPTY, nowhere),
  );
  dev.set(
    'zero',
    device(() => new Uint8Array(ENDLESS), nowhere),
  );
  const dice = device(p => (p ? randomBytes(p.kernel.sim.random, 4096) : EMPTY), nowhere);
  dev.set('random', dice);
  dev.set('urandom', dice);
  dev.set(
    'full',
    device(() => new Uint8Array(ENDLESS), nowhere),
  );
  const out = (data: Uint8Array, p: Process | null) => {
    if (p) writePipe(p.stdout, data);
  };
  const err = (data: Uint8Array, p: Process | null) => {
    if (p) writePipe(p.stderr, data);
  };
  dev.set(
    'stdout',
    device(() => EMPTY, out),
  );
  dev.set(
    'stderr',
    device(() => EMPTY, err),
  );
  dev.set(
    'tty',
    device(() => EMPTY, out),
  );
  dev.set(
    'stdin',
    device(() => EMPTY, nowhere),
  );
  const fd = newDir();
  fd.entries.set(
    '0',
    device(() => EMPTY, nowhere),
  );
  fd.entries.set(
    '1',
    device(() => EMPTY, out),
  );
  fd.entries.set(
    '2',
    device(() => EMPTY, err),
  );
  dev.set('fd', fd);
  for (const name of ['shm', 'pts', 'mqueue']) dev.set(name, newDir(0o1777));
}
