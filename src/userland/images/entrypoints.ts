// Entrypoints that are scripts in the real images, as programs: a thousand pods start without a thousand parses.
import { complain, findExecutable, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { isReadOnly, listDir, lookup, readFile, writeFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';

/** `exec "$@"`: this process becomes the program that its arguments name. */
export function* exec(p: Process): Co<number> {
  const argv = p.argv.slice(1);
  if (!argv.length) return 0;
  const found = findExecutable(p.fs, argv[0], p.env.get('PATH'), p.cwd);
  if (typeof found === 'string' || !found.node.program) {
    complain(p, `${p.argv[0]}: exec: ${argv[0]}: not found\n`);
    return 127;
  }
  p.argv = argv;
  return yield* found.node.program(p);
}

/** The database images refuse to start without a password; the texts are those of their own entrypoints. */
export const databaseEntrypoint = (secret: string): Program =>
  function* (p: Process): Co<number> {
    const server = ['postgres', 'mysqld', 'mariadbd'].includes(p.argv[1]);
    const missing = server ? missingSecret(p, secret) : null;
    if (!missing) return yield* exec(p);
    complain(p, missing);
    return 1;
  };

function missingSecret(p: Process, name: string): string | null {
  if (name === 'POSTGRES_PASSWORD') {
    if (p.env.get(name) || p.env.get('POSTGRES_PASSWORD_FILE') || p.env.get('POSTGRES_HOST_AUTH_METHOD') === 'trust') return null;
    return `Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
       connections without a password. This is *not* recommended.

       See PostgreSQL documentation about "trust":
       https://www.postgresql.org/docs/current/auth-trust.html
`;
  }
  const kinds = ['ROOT_PASSWORD', 'ROOT_PASSWORD_FILE', 'ALLOW_EMPTY_PASSWORD', 'RANDOM_ROOT_PASSWORD'];
  if (kinds.some(kind => p.env.get(`MYSQL_${kind}`) || p.env.get(`MARIADB_${kind}`))) return null;
  return `[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified
    You need to specify one of the following as an environment variable:
    - MYSQL_ROOT_PASSWORD
    - MYSQL_ALLOW_EMPTY_PASSWORD
    - MYSQL_RANDOM_ROOT_PASSWORD
`;
}

const DIR = '/docker-entrypoint.d';
const CONF = '/etc/nginx/conf.d/default.conf';

/** nginx's docker-entrypoint.sh (docker-nginx 1.29): what it logs, the IPv6 listener, templates. */
export const dockerEntrypoint: Program = function* (p: Process): Co<number> {
  if (p.argv[1] === 'nginx' || p.argv[1] === 'nginx-debug') {
    const say = (text: string): void => {
      if (!p.env.get('NGINX_ENTRYPOINT_QUIET_LOGS')) print(p, `${text}\n`);
    };
    say(`/docker-entrypoint.sh: ${DIR}/ is not empty, will attempt to perform configuration`);
    say(`/docker-entrypoint.sh: Looking for shell scripts in ${DIR}/`);
    say(`/docker-entrypoint.sh: Launching ${DIR}/10-listen-on-ipv6-by-default.sh`);
    listenOnIPv6(p, say);
    say(`/docker-entrypoint.sh: Sourcing ${DIR}/15-local-resolvers.envsh`);
    say(`/docker-entrypoint.sh: Launching ${DIR}/20-envsubst-on-templates.sh`);
    envsubstOnTemplates(p, say);
    say(`/docker-entrypoint.sh: Launching ${DIR}/30-tune-worker-processes.sh`);
    say('/docker-entrypoint.sh: Configuration complete; ready for start up');
  }
  return yield* exec(p);
};

function listenOnIPv6(p: Process, say: (text: string) => void): void {
  say(`10-listen-on-ipv6-by-default.sh: info: ${addIPv6(p, say)}`);
}

/** -> what the script says last */
function addIPv6(p: Process, say: (text: string) => void): string {
  const node = lookup(p.fs, CONF, p);
  const conf = readFile(p.fs, CONF, p);
  if (typeof conf === 'string' || typeof node === 'string') return `${CONF.slice(1)} is not a file or does not exist`;
  if (p.uid !== 0 || isReadOnly(p.fs, CONF, p)) return `can not modify ${CONF} (read-only file system?)`;
  const text = bytesToString(conf);
  if (/listen\s+\[::\]:/.test(text)) return 'IPv6 listen already enabled';
  say(`10-listen-on-ipv6-by-default.sh: info: Getting the checksum of ${CONF}`);
  const ipv6 = text.replace(/^(\s*listen\s+)(80|8080);$/m, '$1$2;\n    listen  [::]:$2;');
  if (ipv6 === text || node.mtimeMs !== 0) return `${CONF} differs from the packaged version`;
  // Not counted as a change of the container's: every start does the same again.
  const counted = p.fs.changed.has(CONF);
  writeFile(p.fs, CONF, ipv6, p);
  if (!counted) p.fs.changed.delete(CONF);
  return `Enabled listen on IPv6 in ${CONF}`;
}

function envsubstOnTemplates(p: Process, say: (text: string) => void): void {
  const templates = listDir(p.fs, '/etc/nginx/templates', p);
  if (typeof templates === 'string') return;
  for (const name of [...templates.keys()].sort()) {
    if (!name.endsWith('.template')) continue;
    const data = readFile(p.fs, `/etc/nginx/templates/${name}`, p);
    if (typeof data === 'string') continue;
    const out = `/etc/nginx/conf.d/${name.slice(0, -'.template'.length)}`;
    say(`20-envsubst-on-templates.sh: Running envsubst on /etc/nginx/templates/${name} to ${out}`);
    const text = bytesToString(data).replace(/\$\{(\w+)\}|\$(\w+)/g, (all, a, b) => p.env.get(a ?? b) ?? all);
    writeFile(p.fs, out, text, p);
  }
}
