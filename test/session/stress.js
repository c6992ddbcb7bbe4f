// 16 writers, killed and stopped at random: nothing acknowledged may be lost, nothing may be there twice.
// Run by stress.test.ts for a moment, and for longer as `node test/session/stress.js SECONDS`.
const { fork } = require('node:child_process');
const fs = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

const [, , mode, home, name, bundle] = process.argv;

if (mode === 'writer') {
  const { commit, compact, openSession, refresh, wantsCompaction } = require(bundle);
  let session = openSession(home, () => []);
  // The parent counts what reached the file: an acknowledgement is one line, appended after the commit returned.
  const ack = join(home, `ack-${name}`);
  for (let i = 0; ; i++) {
    for (;;) {
      if (commit(session, [{ bucket: `b${i % 3}`, key: `${name}-${i}`, object: { by: name, i } }])) break;
      try {
        refresh(session);
      } catch {
        session = openSession(home, () => []);
      }
    }
    fs.appendFileSync(ack, `b${i % 3} ${name}-${i}\n`);
    if (wantsCompaction(session)) compact(session);
  }
} else if (require.main === module) {
  run(Number(mode ?? 10), process.argv[3] ?? join(__dirname, '../../dist/session.js')).then(r => {
    console.log(
      `${r.acknowledged} commits acknowledged, ${r.lost} lost, ${r.strange} damaged; ${r.killed} writers killed, ${r.stopped} stopped`,
    );
    process.exit(r.lost || r.strange ? 1 : 0);
  });
}

async function run(seconds, bundlePath) {
  const dir = fs.mkdtempSync(join(tmpdir(), 'podnet-stress-'));
  const { loadBucket, openSession } = require(bundlePath);
  openSession(dir, () => []);
  let born = 0;
  const result = { acknowledged: 0, lost: 0, strange: 0, killed: 0, stopped: 0 };
  const start = () => {
    const w = fork(__filename, ['writer', dir, `w${born++}`, bundlePath], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    w.on('exit', code => {
      if (code) result.strange++; // a writer that ends by itself has met something it did not expect
    });
    return w;
  };
  const writers = Array.from({ length: 16 }, start);
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    await new Promise(r => setTimeout(r, 20 + Math.random() * 60));
    const i = Math.floor(Math.random() * writers.length);
    if (Math.random() < 0.5) {
      writers[i].kill('SIGKILL');
      writers[i] = start();
      result.killed++;
    } else {
      const w = writers[i];
      w.kill('SIGSTOP');
      setTimeout(() => w.kill('SIGCONT'), Math.random() * 300);
      result.stopped++;
    }
  }
  for (const w of writers) {
    w.kill('SIGKILL');
  }
  await new Promise(r => setTimeout(r, 200));
  const session = openSession(dir, () => []);
  const have = new Map([0, 1, 2].map(n => [`b${n}`, loadBucket(session, `b${n}`)]));
  for (const f of fs.readdirSync(dir).filter(x => x.startsWith('ack-'))) {
    for (const line of fs.readFileSync(join(dir, f), 'utf8').split('\n').filter(Boolean)) {
      const [bucket, key] = line.split(' ');
      if (!key) continue;
      result.acknowledged++;
      const value = have.get(bucket)?.get(key);
      if (!value) result.lost++;
      else if (`${value.by}-${value.i}` !== key) result.strange++;
    }
  }
  fs.rmSync(dir, { recursive: true, force: true });
  return result;
}

module.exports = { run };
