// Kinds that nothing acts on are not taken silently.
import { describe, expect, it } from 'vitest';
import { ADDONS } from '../../src/addons/table.ts';
import { RESOURCES } from '../../src/apiserver/resources.ts';
import { KEPT, keptNotice } from '../../src/cli/kept.ts';

const info = (resource: string) => RESOURCES.find(r => r.resource === resource)!;
const object = (rest: object = {}) => ({ apiVersion: 'v1', kind: 'Any', metadata: { name: 'any' }, ...rest }) as any;

describe('kinds that are kept', () => {
  it('are all kinds that there are', () => {
    const known = new Set(RESOURCES.map(r => (r.group ? `${r.resource}.${r.group}` : r.resource)));
    expect(Object.keys(KEPT).filter(k => !known.has(k))).toEqual([]);
  });

  it('say what does not happen, and the others nothing', () => {
    expect(keptNotice(info('runtimeclasses'), object())).toBe(
      'podnet: runtimeclasses.node.k8s.io are kept and shown, and change nothing: every container runs alike',
    );
    expect(keptNotice(info('deployments'), object())).toBeNull();
  });

  it('are not told of the webhooks that guard an add-on', () => {
    const webhooks = (namespace: string) => object({ webhooks: [{ clientConfig: { service: { name: 'hook', namespace } } }] });
    expect(keptNotice(info('validatingwebhookconfigurations'), webhooks('ingress-nginx'))).toBeNull();
    expect(keptNotice(info('validatingwebhookconfigurations'), webhooks('team'))).toContain('only those of add-ons answer');
  });

  it.each(ADDONS.map(a => [a.name, a] as const))('are not told of the webhooks of %s', async (_, addon) => {
    const hooks = (await addon.manifest(addon.url)).filter(o => o.kind.endsWith('WebhookConfiguration'));
    const resource = (kind: string) => info(`${kind.toLowerCase()}s`);
    expect(hooks.map(o => keptNotice(resource(o.kind), o)).filter(Boolean)).toEqual([]);
  });
});
