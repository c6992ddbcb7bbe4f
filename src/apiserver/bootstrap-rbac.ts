// The roles and bindings that a new cluster has: the API server's own and kubeadm's.

import { ROLES } from './bootstrap-roles.ts';
import type { KubeObject } from './types.ts';

const API = 'rbac.authorization.k8s.io';

// kubeadm v1.36's, without the labels of the server's own.
const KUBEADM = `
ClusterRole  kubeadm:get-nodes   ;nodes;get;;
ClusterRole  system:coredns   ;endpoints,services,pods,namespaces;list,watch;;|discovery.k8s.io;endpointslices;list,watch;;
ClusterRoleBinding  kubeadm:cluster-admins  ClusterRole/cluster-admin G//kubeadm:cluster-admins
ClusterRoleBinding  kubeadm:get-nodes  ClusterRole/kubeadm:get-nodes G//system:bootstrappers:kubeadm:default-node-token
ClusterRoleBinding  kubeadm:kubelet-bootstrap  ClusterRole/system:node-bootstrapper G//system:bootstrappers:kubeadm:default-node-token
ClusterRoleBinding  kubeadm:node-autoapprove-bootstrap  ClusterRole/system:certificates.k8s.io:certificatesigningrequests:nodeclient G//system:bootstrappers:kubeadm:default-node-token
ClusterRoleBinding  kubeadm:node-autoapprove-certificate-rotation  ClusterRole/system:certificates.k8s.io:certificatesigningrequests:selfnodeclient G//system:nodes
ClusterRoleBinding  kubeadm:node-proxier  ClusterRole/system:node-proxier S/kube-system/kube-proxy
ClusterRoleBinding  system:coredns  ClusterRole/system:coredns S/kube-system/coredns
Role kube-public kubeadm:bootstrap-signer-clusterinfo   ;configmaps;get;cluster-info;
Role kube-system kube-proxy   ;configmaps;get;kube-proxy;
Role kube-system kubeadm:kubelet-config   ;configmaps;get;kubelet-config;
Role kube-system kubeadm:nodes-kubeadm-config   ;configmaps;get;kubeadm-config;
RoleBinding kube-public kubeadm:bootstrap-signer-clusterinfo  Role/kubeadm:bootstrap-signer-clusterinfo U//system:anonymous
RoleBinding kube-system kube-proxy  Role/kube-proxy G//system:bootstrappers:kubeadm:default-node-token
RoleBinding kube-system kubeadm:kubelet-config  Role/kubeadm:kubelet-config G//system:nodes|G//system:bootstrappers:kubeadm:default-node-token
RoleBinding kube-system kubeadm:nodes-kubeadm-config  Role/kubeadm:nodes-kubeadm-config G//system:bootstrappers:kubeadm:default-node-token|G//system:nodes
`;

const SUBJECTS: Record<string, string> = { G: 'Group', U: 'User', S: 'ServiceAccount' };

const words = (s: string): string[] => s.split(',');

function ruleOf(text: string): object {
  const [groups, resources, verbs, names, urls] = text.split(';');
  return {
    ...(resources && { apiGroups: words(groups) }),
    ...(urls && { nonResourceURLs: words(urls) }),
    ...(names && { resourceNames: words(names) }),
    ...(resources && { resources: words(resources) }),
    verbs: words(verbs),
  };
}

function subjectOf(text: string): object {
  const [kind, namespace, name] = text.split('/');
  return { ...(kind === 'S' ? { namespace } : { apiGroup: API }), kind: SUBJECTS[kind], name };
}

function parse(line: string, own: boolean): KubeObject {
  const [kind, namespace, name, labels, a, b] = line.split(' ');
  const metadata: KubeObject['metadata'] = { name, ...(namespace && { namespace }) };
  if (own) {
    metadata.annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };
    const extra = labels ? words(labels).map(l => l.split('=')) : [];
    metadata.labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...Object.fromEntries(extra) };
  }
  const o: KubeObject = { apiVersion: `${API}/v1`, kind, metadata };
  if (kind.endsWith('Binding')) {
    const [refKind, ...rest] = a.split('/');
    o.roleRef = { apiGroup: API, kind: refKind, name: rest.join('/') };
    if (b) o.subjects = b.split('|').map(subjectOf);
    return o;
  }
  if (a) o.aggregationRule = { clusterRoleSelectors: words(a).map(l => ({ matchLabels: { [l]: 'true' } })) };
  o.rules = b ? b.split('|').map(ruleOf) : [];
  return o;
}

const lines = (text: string): string[] => text.trim().split('\n');

/** The server's own. They have no uid yet. */
export const serverRbac = (): KubeObject[] => lines(ROLES).map(l => parse(l, true));
export const kubeadmRbac = (): KubeObject[] => lines(KUBEADM).map(l => parse(l, false));

/** Both, as a new cluster has them. */
export const bootstrapRbac = (): KubeObject[] => [...serverRbac(), ...kubeadmRbac()];
