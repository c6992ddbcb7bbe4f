// `reject` and what it may say (ip, ip6, and the inet family's icmpx, which means one or the other).
import { reject } from '../reject.ts';
import { ICMP_CODE, ICMPV6_CODE, ICMPX_CODE } from './datatypes.ts';
import { next, peek, type Reader, takeWord, unexpected } from './reader.ts';
import type { NftStatement, NftVerdict } from './types.ts';

const DROP: NftVerdict = { kind: 'drop', chain: null };

/** icmpx codes as they are in each family (nft_reject.c). */
const X4 = [0, 3, 1, 13];
const X6 = [0, 4, 3, 1];

type Kind = 'icmp' | 'icmpv6' | 'icmpx' | 'tcp reset';

export function rejectStatement(r: Reader): NftStatement {
  const family = r.table?.family ?? 'ip';
  let kind: Kind = family === 'ip' ? 'icmp' : family === 'ip6' ? 'icmpv6' : 'icmpx';
  let code = kind === 'icmp' ? 3 : kind === 'icmpv6' ? 4 : 1;
  if (takeWord(r, 'with')) {
    const t = next(r);
    if (t.text === 'tcp') {
      if (!takeWord(r, 'reset')) unexpected(peek(r));
      kind = 'tcp reset';
    } else if (t.text === 'icmp' || t.text === 'icmpv6' || t.text === 'icmpx') {
      kind = t.text;
      takeWord(r, 'type');
      const table = kind === 'icmp' ? ICMP_CODE : kind === 'icmpv6' ? ICMPV6_CODE : ICMPX_CODE;
      const word = next(r);
      code = table.find(([n]) => n === word.text)?.[1] ?? (word.kind === 'number' ? Number(word.text) : unexpected(word));
    } else unexpected(t);
  }
  const text = textOf(kind, code, family);
  return {
    text: () => text,
    run: (skb, ctx) => {
      const v4 = skb.packet.family === 4;
      const number = kind === 'icmpx' ? (v4 ? X4 : X6)[code] : code;
      reject(skb, ctx, kind === 'tcp reset' ? null : { type: v4 ? 3 : 1, code: number });
      return DROP;
    },
  };
}

function textOf(kind: Kind, code: number, family: string): string {
  if (kind === 'tcp reset') return 'reject with tcp reset';
  const usual = kind === 'icmp' ? 3 : kind === 'icmpv6' ? 4 : 1;
  const own = family === 'ip' ? 'icmp' : family === 'ip6' ? 'icmpv6' : 'icmpx';
  if (code === usual && kind === own) return 'reject';
  const table = kind === 'icmp' ? ICMP_CODE : kind === 'icmpv6' ? ICMPV6_CODE : ICMPX_CODE;
  return `reject with ${kind} ${table.find(([, n]) => n === code)?.[0] ?? code}`;
}
