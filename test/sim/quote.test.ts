import { expect, test } from 'vitest';
import { goQuote } from '../../src/sim/quote.ts';

// What strconv.Quote of Go 1.26 prints.
test.each([
  ['plain', '"plain"'],
  ['a"b\\c\n\t\r\x07\b\f\v\x00\x1b\x7f', '"a\\"b\\\\c\\n\\t\\r\\a\\b\\f\\v\\x00\\x1b\\x7f"'],
  ['\u0085\u00a0é\u200b\u2028\ufeff\u3000漢', '"\\u0085\\u00a0é\\u200b\\u2028\\ufeff\\u3000漢"'],
  ['\u{1F600}\u{E0001}\u00ad\ue000', '"😀\\U000e0001\\u00ad\\ue000"'],
])('%j between quotes', (text, quoted) => {
  expect(goQuote(text)).toBe(quoted);
});
