import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Home, newHome, removeHome, run } from './machine.ts';

let home: Home;
beforeAll(() => {
  home = newHome();
  fs.writeFileSync(
    join(home.path, 'lab.sh'),
    'echo "$0 for $1"\nread word && echo "heard $word"\nkubectl get namespace $1 -o name\nnosuch\nexit 3\n',
  );
});
afterAll(() => removeHome(home));

test('podnet sh runs a file of the user, with its name and arguments, as bash does', async () => {
  expect(await run(home, ['podnet', 'sh', 'lab.sh', 'kube-system'], 'a word\n')).toEqual({
    stdout: 'lab.sh for kube-system\nheard a word\nnamespace/kube-system\n',
    stderr: 'lab.sh: line 4: nosuch: command not found\n',
    code: 3,
  });
});

test.each([
  [['nowhere.sh'], 'bash: nowhere.sh: No such file or directory\n', 127],
  [['.'], 'bash: .: Is a directory\n', 126],
  [['lab.sh/x'], 'bash: lab.sh/x: Not a directory\n', 126],
])('podnet sh %j says why not', async (args, stderr, code) => {
  expect(await run(home, ['podnet', 'sh', ...args])).toEqual({ stdout: '', stderr, code });
});

test('without a file the script is on standard input', async () => {
  expect(await run(home, ['podnet', 'sh'], 'echo "$0"')).toMatchObject({ stdout: 'bash\n', code: 0 });
  expect(await run(home, ['podnet', 'sh', '-s', 'one'], 'echo "$0 $1"')).toMatchObject({ stdout: 'bash one\n', code: 0 });
});
