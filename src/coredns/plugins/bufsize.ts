import { argumentError, type Plugin, plainError } from '../types.ts';

const SMALLEST = 512;
const LARGEST = 4096;
const DEFAULT = 1232;

/** Nobody is sent more over UDP than this, whatever size the query offers. */
export const bufsize: Plugin = {
  name: 'bufsize',
  setup: ({ directive: d }) => {
    if (d.args.length > 1) throw argumentError(d);
    const [text] = d.args;
    if (text !== undefined && !/^[-+]?\d+$/.test(text)) throw plainError(`strconv.Atoi: parsing "${text}": invalid syntax`);
    const size = text === undefined ? DEFAULT : Number(text);
    if (size < SMALLEST || size > LARGEST) throw plainError(`bufsize must be within ${SMALLEST} - ${LARGEST}`);
    return function* (r, next) {
      // The query itself is changed: its OPT record is the one that goes back.
      const { edns } = r.query;
      if (edns && edns.udpSize > size) edns.udpSize = size;
      return yield* next(r);
    };
  },
};
