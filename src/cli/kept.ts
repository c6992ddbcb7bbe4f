// Kinds of the built-in groups whose objects are kept, shown and watched, and make nothing happen.
import type { KubeObject, ResourceInfo } from '../apiserver/types.ts';

/** resource.group -> what does not happen. */
export const KEPT: Record<string, string> = {
  bindings: 'pods are bound by the scheduler alone',
  componentstatuses: 'nothing reports them',
  podtemplates: 'no controller makes pods of them',
  'certificatesigningrequests.certificates.k8s.io': 'no certificate is signed',
  'csidrivers.storage.k8s.io': 'there are no CSI drivers',
  'csinodes.storage.k8s.io': 'there are no CSI drivers',
  'csistoragecapacities.storage.k8s.io': 'there are no CSI drivers',
  'volumeattachments.storage.k8s.io': 'there are no CSI drivers',
  'volumeattributesclasses.storage.k8s.io': 'there are no CSI drivers',
  'deviceclasses.resource.k8s.io': 'no devices are allocated',
  'resourceclaims.resource.k8s.io': 'no devices are allocated',
  'resourceclaimtemplates.resource.k8s.io': 'no devices are allocated',
  'resourceslices.resource.k8s.io': 'no devices are allocated',
  'flowschemas.flowcontrol.apiserver.k8s.io': 'no request is queued',
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': 'no request is queued',
  'mutatingadmissionpolicies.admissionregistration.k8s.io': 'no object is changed by them',
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io': 'no object is changed by them',
  'runtimeclasses.node.k8s.io': 'every container runs alike',
  'tokenreviews.authentication.k8s.io': 'nothing asks for them',
};

const WEBHOOKS = 'webhooks are called, and fail where nobody can be reached; only those of add-ons answer, the others are passed over';

/** resource.group -> what of it does not happen, of kinds that act. */
const PARTLY: Record<string, string> = {
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': WEBHOOKS,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': WEBHOOKS,
};

const nameOf = (info: ResourceInfo): string => (info.group ? `${info.resource}.${info.group}` : info.resource);

export const isKept = (info: ResourceInfo): boolean => nameOf(info) in KEPT;

/** Add-ons come with webhooks that guard their own objects; whoever installs one has not asked for those. */
const ADD_ONS = /^(ingress-nginx|istio-system|metallb-system|envoy-gateway-system)$/;

const ofAddOn = (o: KubeObject): boolean =>
  Array.isArray(o.webhooks) &&
  o.webhooks.length > 0 &&
  o.webhooks.every((w: any) => ADD_ONS.test(w.clientConfig?.service?.namespace ?? ''));

/** What the first object of such a kind is warned of; null: something acts on it. */
export function keptNotice(info: ResourceInfo, o: KubeObject): string | null {
  const name = nameOf(info);
  if (ofAddOn(o)) return null;
  if (PARTLY[name]) return `podnet: ${PARTLY[name]}`;
  return KEPT[name] ? `podnet: ${name} are kept and shown, and change nothing: ${KEPT[name]}` : null;
}
