import { kubectlPlan } from './kubectl-command.ts';
import { main } from './main.ts';
import { preferring } from './preferences.ts';
import { runCommand } from './run.ts';

const argv = process.argv.slice(2);
main(() => preferring(argv, process.env, words => runCommand(kubectlPlan(words, process.env), process.env)));
