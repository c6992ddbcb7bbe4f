import { SessionError } from './session.ts';

/** The one exit point: a command's code, or a message and 1. An exception that is no message for the user is a bug and says where. */
export function main(command: () => Promise<number>): void {
  command().then(
    code => {
      process.exitCode = code;
      // What is still open (a terminal, a listening socket) must not keep a finished command alive.
      process.exit(code);
    },
    e => {
      if (e instanceof SessionError || e?.name === 'ConfigError') process.stderr.write(`podnet: ${e.message}\n`);
      else process.stderr.write(`podnet: internal error, please report it: ${e?.stack ?? e}\n`);
      process.exit(1);
    },
  );
}
