// Which image of an add-on runs which program: one row each.
import type { AdmissionAnswer, AdmissionReview, KubeObject } from '../apiserver/types.ts';
import type { Netns, Program } from '../linux/types.ts';
import type { AddonContext, AdmissionContext } from './context.ts';
import { envoyGateway } from './envoy-gateway/controller.ts';
import { envoy } from './envoy-gateway/envoy.ts';
import { checkIngress } from './ingress-nginx/admission.ts';
import { certgen } from './ingress-nginx/certgen.ts';
import { ingressNginx } from './ingress-nginx/controller.ts';
import { pilotAgent } from './istio/agent.ts';
import { inject } from './istio/inject.ts';
import { applyCapture, captureOf } from './istio/iptables.ts';
import { istiod } from './istio/istiod.ts';
import { metallbController } from './metallb/controller.ts';
import { metallbSpeaker } from './metallb/speaker.ts';
import { METALLB_WEBHOOKS } from './metallb/webhooks.ts';
import { metricsServer } from './metrics-server/program.ts';

export interface AddonProgram {
  /** Repository of the image, without tag and digest. */
  image: RegExp;
  /** It watches the API: it has to run whenever time passes, not only when somebody talks to it. */
  watches: boolean;
  program: (c: AddonContext) => Program;
  /** It answers admission webhooks, by path. */
  admits?: Record<string, (review: AdmissionReview, context: AdmissionContext) => AdmissionAnswer>;
  /** What its init container did to the pod's network, done again when a namespace is rebuilt that it had run in. */
  rewires?: (ns: Netns, args: string[]) => void;
}

const PROGRAMS: AddonProgram[] = [
  { image: /(^|\/)envoyproxy\/gateway$/, watches: true, program: envoyGateway },
  { image: /(^|\/)envoyproxy\/envoy$/, watches: true, program: envoy },
  {
    image: /(^|\/)(ingress-nginx\/controller|nginx-ingress-controller)$/,
    watches: true,
    program: ingressNginx,
    admits: { '/networking/v1/ingresses': checkIngress },
  },
  { image: /(^|\/)kube-webhook-certgen$/, watches: false, program: certgen },
  {
    image: /(^|\/)istio\/proxyv2$/,
    watches: false,
    program: pilotAgent,
    rewires: (ns, [word, ...flags]) => {
      if (word === 'istio-iptables') applyCapture(ns, captureOf(flags));
    },
  },
  { image: /(^|\/)istio\/pilot$/, watches: true, program: istiod, admits: { '/inject': inject } },
  { image: /(^|\/)metrics-server$/, watches: true, program: metricsServer },
  { image: /(^|\/)metallb\/controller$/, watches: true, program: metallbController, admits: METALLB_WEBHOOKS },
  { image: /(^|\/)metallb\/speaker$/, watches: true, program: metallbSpeaker },
];

/** `repo/name:tag@digest` -> `repo/name` */
export const repositoryOf = (image: string): string => image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');

const find = (image: string): AddonProgram | undefined => {
  const repository = repositoryOf(image);
  return PROGRAMS.find(p => p.image.test(repository));
};

/** The program of an add-on's container; null: its image is none of theirs. */
export const addonProgram = (context: AddonContext, image: string): Program | null => find(image)?.program(context) ?? null;

/** Has this pod a program that watches the API? */
export const watchesApi = (pod: KubeObject): boolean =>
  (pod.spec?.containers ?? []).some((c: { image: string }) => find(c.image)?.watches ?? false);

/** The network of a pod whose namespace is made anew, as its init containers had left it. */
export function rewire(ns: Netns, pod: KubeObject): void {
  for (const c of pod.spec?.initContainers ?? []) {
    const status = (pod.status?.initContainerStatuses ?? []).find((s: { name: string }) => s.name === c.name);
    if (status?.state?.terminated?.exitCode === 0) find(c.image)?.rewires?.(ns, c.args ?? []);
  }
}

/** Has this pod a program of an add-on's? */
export const isAddon = (pod: KubeObject): boolean => (pod.spec?.containers ?? []).some((c: { image: string }) => find(c.image));

/** Who answers webhooks in this pod. null: nobody that podnet knows. */
export const webhooksOf = (pod: KubeObject): AddonProgram['admits'] | null =>
  (pod.spec?.containers ?? []).map((c: { image: string }) => find(c.image)?.admits).find(Boolean) ?? null;
