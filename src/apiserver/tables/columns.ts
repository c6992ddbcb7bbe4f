// Which columns the server prints for which kind (k8s.io/kubernetes/pkg/printers/internalversion AddHandlers v1.36.3).

import type { Table } from '../types.ts';

// Kind|Column[:type][*]: a star marks what only `-o wide` shows.
const COLUMNS = `
ComponentStatus|Name|Status|Message|Error
ConfigMap|Name|Data|Age
Endpoints|Name|Endpoints|Age
Event|Last Seen|Type|Reason|Object|Subobject*|Source*|Message|First Seen*|Count*|Name*
LimitRange|Name|Created At:date
Namespace|Name|Status|Age
Node|Name|Status|Roles|Age|Version|Internal-IP*|External-IP*|OS-Image*|Kernel-Version*|Container-Runtime*
PersistentVolumeClaim|Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age|VolumeMode*
PersistentVolume|Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age|VolumeMode*
Pod|Name|Ready|Status|Restarts|Age|IP*|Node*|Nominated Node*|Readiness Gates*
PodTemplate|Name|Containers|Images|Pod Labels
ReplicationController|Name|Desired:integer|Current:integer|Ready:integer|Age|Containers*|Images*|Selector*
ResourceQuota|Name|Request|Limit|Age
Secret|Name|Type|Data|Age
ServiceAccount|Name|Age
Service|Name|Type|Cluster-IP|External-IP|Port(s)|Age|Selector*
APIService|Name|Service|Available|Age
ControllerRevision|Name|Controller|Revision|Age
DaemonSet|Name|Desired:integer|Current:integer|Ready:integer|Up-to-date:integer|Available:integer|Node Selector|Age|Containers*|Images*|Selector*
Deployment|Name|Ready|Up-to-date|Available|Age|Containers*|Images*|Selector*
ReplicaSet|Name|Desired:integer|Current:integer|Ready:integer|Age|Containers*|Images*|Selector*
StatefulSet|Name|Ready|Age|Containers*|Images*
HorizontalPodAutoscaler|Name|Reference|Targets|MinPods|MaxPods|Replicas|Age
CronJob|Name|Schedule|Timezone|Suspend:boolean|Active:integer|Last Schedule|Age|Containers*|Images*|Selector*
Job|Name|Status|Completions|Duration|Age|Containers*|Images*|Selector*
CertificateSigningRequest|Name|Age|SignerName|Requestor|RequestedDuration|Condition
IngressClass|Name|Controller|Parameters|Age
Ingress|Name|Class|Hosts|Address|Ports|Age
IPAddress|Name|ParentRef
NetworkPolicy|Name|Pod-Selector|Age
ServiceCIDR|Name|CIDRs|Age
PodDisruptionBudget|Name|Min Available|Max Unavailable|Allowed Disruptions:integer|Age
ClusterRoleBinding|Name|Role|Age|Users*|Groups*|ServiceAccounts*
ClusterRole|Name|Created At:date
RoleBinding|Name|Role|Age|Users*|Groups*|ServiceAccounts*
Role|Name|Created At:date
CSIDriver|Name|AttachRequired:boolean|PodInfoOnMount:boolean|StorageCapacity:boolean|TokenRequests|RequiresRepublish:boolean|Modes|Age
CSINode|Name|Drivers:integer|Age
CSIStorageCapacity|Name|Created At:date
StorageClass|Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age
VolumeAttachment|Name|Attacher|PV|Node|Attached:boolean|Age
VolumeAttributesClass|Name|DriverName|Age
MutatingAdmissionPolicy|Name|Mutations:integer|ParamKind|Age
MutatingAdmissionPolicyBinding|Name|PolicyName|ParamRef|Age
MutatingWebhookConfiguration|Name|Webhooks:integer|Age
ValidatingAdmissionPolicy|Name|Validations:integer|ParamKind|Age
ValidatingAdmissionPolicyBinding|Name|PolicyName|ParamRef|Age
ValidatingWebhookConfiguration|Name|Webhooks:integer|Age
CustomResourceDefinition|Name|Created At:date
PriorityClass|Name|Value:integer|Global-Default:boolean|Age|PreemptionPolicy
Lease|Name|Holder|Age
RuntimeClass|Name|Handler|Age
EndpointSlice|Name|AddressType|Ports|Endpoints|Age
DeviceClass|Name|Age
ResourceClaim|Name|State|Age
ResourceClaimTemplate|Name|Age
ResourceSlice|Name|Node|Driver|Pool|Age
FlowSchema|Name|PriorityLevel|MatchingPrecedence|DistinguisherMethod|Age|MissingPL
PriorityLevelConfiguration|Name|Type|NominalConcurrencyShares|Queues|HandSize|QueueLengthLimit|Age
Scale|Name|Desired:integer|Available:integer|Age
`;

type Column = Table['columnDefinitions'][number];

let parsed: Map<string, Column[]> | null = null;

function parse(): Map<string, Column[]> {
  const out = new Map<string, Column[]>();
  for (const line of COLUMNS.trim().split('\n')) {
    const [kind, ...columns] = line.split('|');
    out.set(
      kind,
      columns.map((text, i) => {
        const wide = text.endsWith('*');
        const [name, type = 'string'] = (wide ? text.slice(0, -1) : text).split(':');
        return { name, type, format: i === 0 && name === 'Name' ? 'name' : '', description: '', priority: wide ? 1 : 0 };
      }),
    );
  }
  return out;
}

/** Of a built-in kind. */
export function columnsOf(kind: string): Column[] | undefined {
  parsed ??= parse();
  return parsed.get(kind);
}
