// The page that Bookinfo's productpage makes of what the other services say: the words and marks that people look for in it.
import { bytesToString, unbase64 } from '../../sim/bytes.ts';

interface Part {
  status: number;
  value: any;
}

/** Who is signed in, by Flask's session cookie (base64 of JSON before the first dot). */
export function userOf(cookies: string): string {
  const value = /(?:^|;\s*)session=([^;]*)/.exec(cookies)?.[1] ?? '';
  const coded = value.split('.')[0].replaceAll('-', '+').replaceAll('_', '/');
  const text = unbase64(coded + '='.repeat((4 - (coded.length % 4)) % 4));
  try {
    return text ? (JSON.parse(bytesToString(text)).user ?? '') : '';
  } catch {
    return '';
  }
}

const COLUMNS: [string, string][] = [
  ['ISBN-10', 'ISBN-10'],
  ['Publisher', 'publisher'],
  ['Pages', 'pages'],
  ['Type', 'type'],
  ['Language', 'language'],
];

const failed = (what: string, part: Part): string =>
  `<p class="text-2xl text-red-500">Error fetching product ${what}</p>\n<p class="text-lg text-gray-600">${part.value.error}</p>\n`;

function stars(rating: any): string {
  if (!rating) return '';
  if (!rating.stars) return `<p class="text-red-500">${rating.error}</p>\n`;
  const star = '<svg class="h-5 w-5 flex-none" fill="currentColor"></svg>\n';
  const empty = '<svg class="h-5 w-5 flex-none" fill="none"></svg>\n';
  return `<div class="flex gap-x-1 text-${rating.color}-500">\n${star.repeat(rating.stars)}${empty.repeat(5 - rating.stars)}</div>\n`;
}

const review = (r: any, served: any): string => `<section>
${stars(r.rating)}<blockquote>
<p>"${r.text}"</p>
</blockquote>
<div class="font-semibold text-gray-900">${r.reviewer}</div>
<div class="mt-0.5 text-gray-600 font-mono">Reviews served by:
${served.podname}
${served.clustername === 'null' ? '' : `on cluster <div>${served.clustername}</div>\n`}</div>
</section>
`;

export function productPage(user: string, details: Part, reviews: Part): string {
  const table = `<h4 class="text-3xl font-semibold">Book Details</h4>
<table>
<tr>${COLUMNS.map(([title]) => `<th scope="col">${title}</th>`).join('')}</tr>
<tr>${COLUMNS.map(([, key]) => `<td>${details.value[key]}</td>`).join('')}</tr>
</table>
`;
  const all = () => (reviews.value.reviews ?? []).map((r: any) => review(r, reviews.value)).join('');
  return `<meta charset="utf-8">
<meta http-equiv="X-UA-Compatible" content="IE=edge">
<meta name="viewport" content="width=device-width, initial-scale=1.0">

<title>Simple Bookstore App</title>

<nav class="bg-gray-800">
<a href="#" aria-current="page">BookInfo Sample</a>
${user ? `<p class="text-base font-medium text-gray-50">${user}</p>\n<a href="logout">Sign out</a>` : '<button type="button" id="sign-in-button">\nSign in\n</button>'}
</nav>

<h1 class="text-5xl font-bold tracking-tight text-blue-900">The Comedy of Errors</h1>

${details.status === 200 ? table : failed('details', details)}
${reviews.status === 200 ? `<h4 class="text-3xl font-semibold">Book Reviews</h4>\n${all()}` : failed('reviews', reviews)}`;
}
