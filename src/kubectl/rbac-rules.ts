// Policy rules as `describe role` and `auth can-i --list` print them (k8s.io/kubectl v0.36.3, pkg/util/rbac).

const goList = (words: string[]): string => `[${words.join(' ')}]`;

interface Rule {
  verbs: string[];
  apiGroups: string[];
  resources: string[];
  resourceNames: string[];
  nonResourceURLs: string[];
}

/** One row per resource and name, verbs together (pkg/util/rbac). */
function compactRules(rules: any[]): Rule[] {
  const rows = new Map<string, Rule>();
  for (const r of rules ?? []) {
    const add = (key: string, rule: Omit<Rule, 'verbs'>) => {
      const row = rows.get(key) ?? { ...rule, verbs: [] };
      for (const v of r.verbs ?? []) if (!row.verbs.includes(v)) row.verbs.push(v);
      rows.set(key, row);
    };
    for (const group of r.apiGroups ?? [])
      for (const resource of r.resources ?? [])
        for (const name of r.resourceNames?.length ? r.resourceNames : [null])
          add(JSON.stringify([group, resource, name]), {
            apiGroups: [group],
            resources: [resource],
            resourceNames: name === null ? [] : [name],
            nonResourceURLs: [],
          });
    // Only resources are put together: a URL that two rules allow is shown twice.
    for (const url of r.nonResourceURLs ?? [])
      for (const verb of r.verbs ?? [])
        rows.set(`${rows.size}`, { verbs: [verb], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [url] });
  }
  const text = (r: Rule) =>
    `&PolicyRule{Verbs:${goList(r.verbs)},APIGroups:${goList(r.apiGroups)},Resources:${goList(r.resources)},ResourceNames:${goList(r.resourceNames)},NonResourceURLs:${goList(r.nonResourceURLs)},}`;
  return [...rows.values()].sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

/** Resources, Non-Resource URLs, Resource Names, Verbs. */
export function ruleRows(rules: any[]): string[][] {
  return compactRules(rules).map(r => {
    let name = '';
    if (r.resources.length) {
      const slash = r.resources[0].indexOf('/');
      const [first, sub] = slash < 0 ? [r.resources[0], ''] : [r.resources[0].slice(0, slash), r.resources[0].slice(slash)];
      name = `${first}${r.apiGroups[0] ? `.${r.apiGroups[0]}` : ''}${sub}`;
    }
    return [name, goList(r.nonResourceURLs), goList(r.resourceNames), goList(r.verbs)];
  });
}
