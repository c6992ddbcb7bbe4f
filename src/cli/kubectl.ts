import { kubectlPlan } from './kubectl-command.ts';
import { main } from './main.ts';
import { runCommand } from './run.ts';

const argv = process.argv.slice(2);
main(() => runCommand(kubectlPlan(argv, process.env), process.env));
