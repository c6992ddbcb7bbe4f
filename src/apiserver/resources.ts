// What the API serves: discovery's rows, in the server's own order (kube-apiserver v1.36.3).

import { aggregatedResources } from './aggregated.ts';
import { customResources } from './custom/resources.ts';
import type { ApiServer, ResourceInfo, Verb } from './types.ts';

// group|version|resource|kind|singular (if not the kind in lower case)|scope|short names|categories|subresources|verbs (* = all)
const ROWS = `
|v1|bindings|Binding||namespaced||||create
|v1|componentstatuses|ComponentStatus||cluster|cs|||get,list
|v1|configmaps|ConfigMap||namespaced|cm|||*
|v1|endpoints|Endpoints||namespaced|ep|||*
|v1|events|Event||namespaced|ev|||*
|v1|limitranges|LimitRange||namespaced|limits|||*
|v1|namespaces|Namespace||cluster|ns||finalize,status|create,delete,get,list,patch,update,watch
|v1|nodes|Node||cluster|no||proxy,status|*
|v1|persistentvolumeclaims|PersistentVolumeClaim||namespaced|pvc||status|*
|v1|persistentvolumes|PersistentVolume||cluster|pv||status|*
|v1|pods|Pod||namespaced|po|all|attach,binding,ephemeralcontainers,eviction,exec,log,portforward,proxy,resize,status|*
|v1|podtemplates|PodTemplate||namespaced||||*
|v1|replicationcontrollers|ReplicationController||namespaced|rc|all|scale,status|*
|v1|resourcequotas|ResourceQuota||namespaced|quota||status|*
|v1|secrets|Secret||namespaced||||*
|v1|serviceaccounts|ServiceAccount||namespaced|sa||token|*
|v1|services|Service||namespaced|svc|all|proxy,status|*
apiregistration.k8s.io|v1|apiservices|APIService||cluster||api-extensions|status|*
apps|v1|controllerrevisions|ControllerRevision||namespaced||||*
apps|v1|daemonsets|DaemonSet||namespaced|ds|all|status|*
apps|v1|deployments|Deployment||namespaced|deploy|all|scale,status|*
apps|v1|replicasets|ReplicaSet||namespaced|rs|all|scale,status|*
apps|v1|statefulsets|StatefulSet||namespaced|sts|all|scale,status|*
events.k8s.io|v1|events|Event||namespaced|ev|||*
authentication.k8s.io|v1|selfsubjectreviews|SelfSubjectReview||cluster||||create
authentication.k8s.io|v1|tokenreviews|TokenReview||cluster||||create
authorization.k8s.io|v1|localsubjectaccessreviews|LocalSubjectAccessReview||namespaced||||create
authorization.k8s.io|v1|selfsubjectaccessreviews|SelfSubjectAccessReview||cluster||||create
authorization.k8s.io|v1|selfsubjectrulesreviews|SelfSubjectRulesReview||cluster||||create
authorization.k8s.io|v1|subjectaccessreviews|SubjectAccessReview||cluster||||create
autoscaling|v2|horizontalpodautoscalers|HorizontalPodAutoscaler||namespaced|hpa|all|status|*
autoscaling|v1|horizontalpodautoscalers|HorizontalPodAutoscaler||namespaced|hpa|all|status|*
batch|v1|cronjobs|CronJob||namespaced|cj|all|status|*
batch|v1|jobs|Job||namespaced||all|status|*
certificates.k8s.io|v1|certificatesigningrequests|CertificateSigningRequest||cluster|csr||approval,status|*
networking.k8s.io|v1|ingressclasses|IngressClass||cluster||||*
networking.k8s.io|v1|ingresses|Ingress||namespaced|ing||status|*
networking.k8s.io|v1|ipaddresses|IPAddress||cluster|ip|||*
networking.k8s.io|v1|networkpolicies|NetworkPolicy||namespaced|netpol|||*
networking.k8s.io|v1|servicecidrs|ServiceCIDR||cluster|||status|*
policy|v1|poddisruptionbudgets|PodDisruptionBudget||namespaced|pdb||status|*
rbac.authorization.k8s.io|v1|clusterrolebindings|ClusterRoleBinding||cluster||||*
rbac.authorization.k8s.io|v1|clusterroles|ClusterRole||cluster||||*
rbac.authorization.k8s.io|v1|rolebindings|RoleBinding||namespaced||||*
rbac.authorization.k8s.io|v1|roles|Role||namespaced||||*
storage.k8s.io|v1|csidrivers|CSIDriver||cluster||||*
storage.k8s.io|v1|csinodes|CSINode||cluster||||*
storage.k8s.io|v1|csistoragecapacities|CSIStorageCapacity||namespaced||||*
storage.k8s.io|v1|storageclasses|StorageClass||cluster|sc|||*
storage.k8s.io|v1|volumeattachments|VolumeAttachment||cluster|||status|*
storage.k8s.io|v1|volumeattributesclasses|VolumeAttributesClass||cluster|vac|||*
admissionregistration.k8s.io|v1|mutatingadmissionpolicies|MutatingAdmissionPolicy||cluster||api-extensions||*
admissionregistration.k8s.io|v1|mutatingadmissionpolicybindings|MutatingAdmissionPolicyBinding||cluster||api-extensions||*
admissionregistration.k8s.io|v1|mutatingwebhookconfigurations|MutatingWebhookConfiguration||cluster||api-extensions||*
admissionregistration.k8s.io|v1|validatingadmissionpolicies|ValidatingAdmissionPolicy||cluster||api-extensions|status|*
admissionregistration.k8s.io|v1|validatingadmissionpolicybindings|ValidatingAdmissionPolicyBinding||cluster||api-extensions||*
admissionregistration.k8s.io|v1|validatingwebhookconfigurations|ValidatingWebhookConfiguration||cluster||api-extensions||*
apiextensions.k8s.io|v1|customresourcedefinitions|CustomResourceDefinition||cluster|crd,crds|api-extensions|status|*
scheduling.k8s.io|v1|priorityclasses|PriorityClass||cluster|pc|||*
coordination.k8s.io|v1|leases|Lease||namespaced||||*
node.k8s.io|v1|runtimeclasses|RuntimeClass||cluster||||*
discovery.k8s.io|v1|endpointslices|EndpointSlice||namespaced||||*
resource.k8s.io|v1|deviceclasses|DeviceClass||cluster||||*
resource.k8s.io|v1|resourceclaims|ResourceClaim||namespaced|||status|*
resource.k8s.io|v1|resourceclaimtemplates|ResourceClaimTemplate||namespaced||||*
resource.k8s.io|v1|resourceslices|ResourceSlice||cluster||||*
flowcontrol.apiserver.k8s.io|v1|flowschemas|FlowSchema||cluster|||status|*
flowcontrol.apiserver.k8s.io|v1|prioritylevelconfigurations|PriorityLevelConfiguration||cluster|||status|*
`;

const ALL: Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const words = (s: string): string[] => (s ? s.split(',') : []);

export const RESOURCES: readonly ResourceInfo[] = ROWS.trim()
  .split('\n')
  .map(row => {
    const [group, version, resource, kind, singular, scope, short, categories, subresources, verbs] = row.split('|');
    return {
      group,
      version,
      resource,
      kind,
      singular: singular || kind.toLowerCase(),
      shortNames: words(short),
      namespaced: scope === 'namespaced',
      categories: words(categories),
      subresources: words(subresources),
      verbs: verbs === '*' ? ALL : (words(verbs) as Verb[]),
    };
  });

const BY_NAME = new Map(RESOURCES.map(r => [`${r.group}/${r.version}/${r.resource}`, r]));
const BY_KIND = new Map(RESOURCES.map(r => [`${r.group ? `${r.group}/` : ''}${r.version}/${r.kind}`, r]));

const OWN = new Set(RESOURCES);

/** Of the server's own, not of a CustomResourceDefinition or an add-on. */
export const isBuiltin = (info: ResourceInfo): boolean => OWN.has(info);

const others = (server: ApiServer): ResourceInfo[] => [...server.resources, ...aggregatedResources(server), ...customResources(server)];

/** All resources, the custom ones after the built-in. */
export const allResources = (server: ApiServer): readonly ResourceInfo[] => [...RESOURCES, ...others(server)];

export function resourceInfo(server: ApiServer, group: string, version: string, resource: string): ResourceInfo | undefined {
  return (
    BY_NAME.get(`${group}/${version}/${resource}`) ??
    others(server).find(r => r.group === group && r.version === version && r.resource === resource)
  );
}

export function resourceOfKind(server: ApiServer, apiVersion: string, kind: string): ResourceInfo | undefined {
  return BY_KIND.get(`${apiVersion}/${kind}`) ?? others(server).find(r => apiVersionOf(r) === apiVersion && r.kind === kind);
}

/** `pods`, `deployments.apps`: the served resource of a store's bucket. */
export function resourceOfBucket(server: ApiServer, bucket: string): ResourceInfo | undefined {
  const dot = bucket.indexOf('.');
  const resource = dot < 0 ? bucket : bucket.slice(0, dot);
  const group = dot < 0 ? '' : bucket.slice(dot + 1);
  const wanted = (r: ResourceInfo) => r.group === group && r.resource === resource;
  return RESOURCES.find(wanted) ?? others(server).find(wanted);
}

export const apiVersionOf = (info: ResourceInfo): string => (info.group ? `${info.group}/${info.version}` : info.version);
