// The same command lines through podnet's own kubectl and through the real one that talks to `podnet serve`: both must print the same
// bytes and end with the same code. What differs is a mistake of podnet's kubectl or of its API.
//
//   npm run same [-- WORD...]     scenarios whose name contains a word; build first
//
//   PODNET_TEST_KUBECTL=FILE      the real kubectl, of v1.36; without one of that version there is nothing to compare with
//   PODNET_TEST_SCENARIOS=DIR     other scenarios: folders DIR/NAME with a transcript.json {steps: [{cmd}]} and the files that it names
//   PODNET_TEST_BASH=FILE         the shell of the command lines
const { execFile, execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

const root = join(__dirname, '../../..');
const real = process.env.PODNET_TEST_KUBECTL || 'kubectl';
const scenarios = process.env.PODNET_TEST_SCENARIOS || join(__dirname, 'scenarios');
const bash = process.env.PODNET_TEST_BASH || 'bash';
const words = process.argv.slice(2);
/** Milliseconds that one command line may take. */
const PATIENCE = 60_000;

/** Why there is nothing to run, or null. */
function missing() {
  try {
    const text = execFileSync(real, ['version', '--client', '-o', 'json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const { minor } = JSON.parse(text).clientVersion;
    if (parseInt(minor, 10) !== 36) return `${real} is of v1.${minor}: texts differ from v1.36's`;
  } catch {
    return `there is no ${real}: PODNET_TEST_KUBECTL names a kubectl v1.36`;
  }
  return fs.existsSync(scenarios) ? null : `there is no folder ${scenarios}`;
}

const quote = s => `'${s.replaceAll("'", "'\\''")}'`;
const podnet = (name, ...args) => [process.execPath, join(root, `bin/${name}.js`), ...args];
const script = argv => `#!/bin/sh\nexec ${argv.map(quote).join(' ')} "$@"\n`;

/** A fresh machine whose `kubectl` is one of the two. */
function newMachine(which, folder, now) {
  const dir = fs.mkdtempSync(join(tmpdir(), `podnet-same-`));
  for (const d of ['bin', 'home', 'podnet']) fs.mkdirSync(join(dir, d));
  const work = join(dir, 'work');
  fs.cpSync(folder, work, { recursive: true });
  fs.chmodSync(work, 0o755);
  for (const name of ['kubectl', 'podnet']) {
    const argv = name === 'kubectl' && which === 'real' ? [real] : podnet(name);
    for (const alias of name === 'kubectl' ? ['kubectl', 'k'] : [name])
      fs.writeFileSync(join(dir, 'bin', alias), script(argv), { mode: 0o755 });
  }
  const env = {
    PATH: `${join(dir, 'bin')}:${process.env.PATH}`,
    HOME: join(dir, 'home'),
    PODNET_HOME: join(dir, 'podnet'),
    PODNET_SEED: '1',
    // A server's pods sleep by the wall clock: it must move.
    ...(which === 'own' ? { PODNET_NOW: now } : {}),
    TZ: 'UTC',
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    EDITOR: 'true',
  };
  return { dir, work, env, server: null };
}

function serve(machine) {
  const [file, ...args] = podnet('podnet', 'serve');
  return new Promise((done, fail) => {
    const p = spawn(file, args, { env: machine.env, cwd: machine.work, stdio: ['ignore', 'pipe', 'pipe'] });
    machine.server = p;
    let said = '';
    p.stderr.on('data', chunk => (said += chunk));
    p.stdout.once('data', () => {
      fs.mkdirSync(join(machine.env.HOME, '.kube'));
      fs.copyFileSync(join(machine.env.PODNET_HOME, 'serve.kubeconfig'), join(machine.env.HOME, '.kube/config'));
      done();
    });
    p.once('close', () => fail(new Error(`podnet serve: ${said}`)));
  });
}

function runLine(machine, line) {
  return new Promise(done => {
    const options = { env: machine.env, cwd: machine.work, timeout: PATIENCE, maxBuffer: 1 << 26 };
    const p = execFile(bash, ['-c', line], options, (e, stdout, stderr) => {
      done({ stdout, stderr, code: e ? (e.code ?? String(e.signal)) : 0 });
    });
    p.stdin.end();
  });
}

/** Steps of one scenario -> what each of them printed. */
async function play(which, folder, steps, now) {
  const machine = newMachine(which, folder, now);
  try {
    if (which === 'real') await serve(machine);
    const all = [];
    for (const step of steps) {
      if (step.before) await runLine(machine, step.before);
      all.push(plain(machine, await runLine(machine, step.cmd)));
    }
    return all;
  } finally {
    machine.server?.removeAllListeners('close').kill('SIGKILL');
    fs.rmSync(machine.dir, { recursive: true, force: true });
  }
}

/** What depends on where the machine stands: its folder, the address of its API and how one comes in, names of temporary files. */
function plain(machine, ran) {
  const mask = text =>
    text
      .replaceAll(join(machine.dir, 'home/.kube/config'), 'KUBECONFIG')
      .replaceAll(join(machine.dir, 'podnet/config'), 'KUBECONFIG')
      .replaceAll(machine.dir, 'DIR')
      .replace(/https:\/\/(127\.0\.0\.1:\d+|192\.168\.1\.2:6443)/g, 'https://API')
      .replace(/("?certificate-authority-data"?: "?)[\w+/=]+/g, '$1X')
      .replace(/"?client-certificate-data"?: .*\n *"?client-key-data"?: .*|"?token"?: .*/g, 'CREDENTIALS')
      .replace(/\b(kubectl-edit-|LIVE-|MERGED-)\d+/g, '$1N');
  return { stdout: mask(ran.stdout), stderr: mask(ran.stderr), code: ran.code };
}

/**
 * What a clock says, and what is drawn or counted in another order where the cluster's time passes otherwise. The real kubectl counts ages
 * to the machine's clock, podnet's to the cluster's; a watch over HTTP lets time pass in smaller steps.
 */
function withoutClock(text) {
  return text
    .replace(/(?<![\w.-])(<unknown>|<invalid>|(\d+y)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(?<=[ydhms]))(?![\w.-])/g, m => (m ? 'AGE' : m))
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
    .replace(/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, 'TIME')
    .replace(/^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ /gm, '$1TIME ')
    .replace(/(resourceVersion"?: ?"?)\d+/gi, '$1N')
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{9})? [+-]\d{4}/g, 'TIME')
    .replace(/(Resource Version: +)\d+/g, '$1N')
    .replace(/-[bcdfghjklmnpqrstvwxz2456789]{5}(?![\w-])/g, '-DRAWN')
    .replace(/ {2,}/g, '  ');
}

const clockless = ran => ({ ...ran, stdout: withoutClock(ran.stdout), stderr: withoutClock(ran.stderr) });
const same = (a, b) => a.code === b.code && a.stdout === b.stdout && a.stderr === b.stderr;

/** Lines that only one of the two printed, a few. */
function difference(name, own, theirs) {
  if (own === theirs) return '';
  const [a, b] = [own.split('\n'), theirs.split('\n')];
  let from = 0;
  while (from < a.length && a[from] === b[from]) from++;
  let [i, j] = [a.length, b.length];
  while (i > from && j > from && a[i - 1] === b[j - 1]) [i, j] = [i - 1, j - 1];
  const show = (mark, lines) =>
    lines
      .slice(0, 12)
      .map(l => `    ${mark} ${l}\n`)
      .join('');
  return `  ${name}, from line ${from + 1}:\n${show('own ', a.slice(from, i))}${show('real', b.slice(from, j))}`;
}

async function compare(name) {
  const folder = join(scenarios, name);
  const { steps } = JSON.parse(fs.readFileSync(join(folder, 'transcript.json'), 'utf8'));
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const [own, theirs] = await Promise.all([play('own', folder, steps, now), play('real', folder, steps, now)]);
  const differences = [];
  steps.forEach((step, n) => {
    if (same(own[n], theirs[n]) || same(clockless(own[n]), clockless(theirs[n]))) return;
    const [a, b] = [clockless(own[n]), clockless(theirs[n])];
    const code = a.code === b.code ? '' : `  exit code: own ${a.code}, real ${b.code}\n`;
    differences.push(
      `${name} ${step.n ?? n + 1} $ ${step.cmd}\n${difference('stdout', a.stdout, b.stdout)}${difference('stderr', a.stderr, b.stderr)}${code}`,
    );
  });
  console.log(`${differences.length ? 'FAIL' : 'ok  '} ${name} ${steps.length - differences.length}/${steps.length}`);
  for (const d of differences) console.log(d);
  return [steps.length - differences.length, steps.length];
}

async function main() {
  const why = missing();
  if (why) {
    console.log(`skipped: ${why}`);
    return 0;
  }
  const names = fs
    .readdirSync(scenarios)
    .filter(n => fs.existsSync(join(scenarios, n, 'transcript.json')) && (!words.length || words.some(w => n.includes(w))))
    .sort();
  let [right, total] = [0, 0];
  for (const name of names) {
    const [r, t] = await compare(name);
    [right, total] = [right + r, total + t];
  }
  console.log(`${right} of ${total} command lines print the same`);
  return right === total ? 0 : 1;
}

main().then(code => process.exit(code));
