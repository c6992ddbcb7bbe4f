// Which image of an add-on runs which program: one row each.
import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import type { Program } from '../linux/types.ts';
import { envoyGateway } from './envoy-gateway/controller.ts';
import { envoy } from './envoy-gateway/envoy.ts';
import { certgen } from './ingress-nginx/certgen.ts';
import { ingressNginx } from './ingress-nginx/controller.ts';
import { metallbController } from './metallb/controller.ts';
import { metallbSpeaker } from './metallb/speaker.ts';
import { metricsServer } from './metrics-server/program.ts';

export interface AddonContext {
  server: ApiServer;
  pod: KubeObject;
}

export interface AddonProgram {
  /** Repository of the image, without tag and digest. */
  image: RegExp;
  /** It watches the API: it has to run whenever time passes, not only when somebody talks to it. */
  watches: boolean;
  program: (c: AddonContext) => Program;
}

const PROGRAMS: AddonProgram[] = [
  { image: /(^|\/)envoyproxy\/gateway$/, watches: true, program: envoyGateway },
  { image: /(^|\/)envoyproxy\/envoy$/, watches: true, program: envoy },
  { image: /(^|\/)(ingress-nginx\/controller|nginx-ingress-controller)$/, watches: true, program: ingressNginx },
  { image: /(^|\/)kube-webhook-certgen$/, watches: false, program: certgen },
  { image: /(^|\/)metrics-server$/, watches: true, program: metricsServer },
  { image: /(^|\/)metallb\/controller$/, watches: true, program: metallbController },
  { image: /(^|\/)metallb\/speaker$/, watches: true, program: metallbSpeaker },
];

/** `repo/name:tag@digest` -> `repo/name` */
export const repositoryOf = (image: string): string => image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');

const find = (image: string): AddonProgram | undefined => {
  const repository = repositoryOf(image);
  return PROGRAMS.find(p => p.image.test(repository));
};

/** The program of an add-on's container; null: its image is none of theirs. */
export const addonProgram = (server: ApiServer, pod: KubeObject, image: string): Program | null =>
  find(image)?.program({ server, pod }) ?? null;

/** Has this pod a program that watches the API? */
export const watchesApi = (pod: KubeObject): boolean =>
  (pod.spec?.containers ?? []).some((c: { image: string }) => find(c.image)?.watches ?? false);
