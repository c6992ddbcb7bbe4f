// kube-webhook-certgen: one Job makes the webhook's certificate, another one puts its authority into the webhook's configuration.
import { createObject, updateObject } from '../../apiserver/client.ts';
import { getObject } from '../../apiserver/store.ts';
import { complain } from '../../linux/process.ts';
import type { Program } from '../../linux/types.ts';
import { base64, stringToBytes } from '../../sim/bytes.ts';
import { rfc3339 } from '../../sim/time.ts';
import { goFlags } from '../../userland/servers/daemon.ts';
import type { AddonContext } from '../context.ts';

const pem = (what: string) => base64(stringToBytes(`-----BEGIN ${what}-----\n-----END ${what}-----\n`));

export const certgen = ({ server }: AddonContext): Program =>
  function* certgen(p) {
    const [, verb, ...words] = p.argv;
    const { flags } = goFlags(words);
    const [namespace, name] = [flags.get('namespace') ?? '', flags.get('secret-name') ?? ''];
    const say = (level: string, msg: string) =>
      complain(p, `${JSON.stringify({ level, msg, source: `cmd/${verb}.go`, time: rfc3339(p.kernel.sim.nowMs) })}\n`);
    if (verb === 'create') {
      if (!getObject(server, 'secrets', namespace, name)) {
        const data = { ca: pem('CERTIFICATE'), cert: pem('CERTIFICATE'), key: pem('EC PRIVATE KEY') };
        say('info', 'creating new secret');
        createObject(server, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type: 'Opaque', data });
      } else say('info', 'secret already exists');
      return 0;
    }
    const secret = getObject(server, 'secrets', namespace, name);
    if (!secret) {
      say('fatal', `no secret with '${name}' in '${namespace}'`);
      return 1;
    }
    const webhook = flags.get('webhook-name') ?? '';
    const config = getObject(server, 'validatingwebhookconfigurations.admissionregistration.k8s.io', '', webhook);
    if (!config) {
      say('fatal', `failed getting validating webhook ${webhook}`);
      return 1;
    }
    const webhooks = config.webhooks.map((w: any) => ({ ...w, clientConfig: { ...w.clientConfig, caBundle: secret.data?.ca } }));
    updateObject(server, { ...config, webhooks });
    say('info', 'Patched hook(s)');
    return 0;
  };
