// Every flag of every command, as `kubectl COMMAND --help` of v1.36.3 lists them (k8s.io/kubectl v0.36.3): NAME[,SHORTHAND]:TYPE[!][=DEFAULT][?VALUE-WHEN-BARE].
// Types: s string, b bool, i int, i3 int32, i6 int64, d duration, a string array, l comma-separated list, m k=v list, t tristate; ! required.

export const FLAGS: Record<string, string> = {
  '': 'as:s|as-group:a|as-uid:s|as-user-extra:a|cache-dir:s=$HOME/.kube/cache|certificate-authority:s|client-certificate:s|client-key:s|cluster:s|context:s|disable-compression:b|insecure-skip-tls-verify:b|kubeconfig:s|kuberc:s|match-server-version:b|namespace,n:s|password:s|profile:s=none|profile-output:s=profile.pprof|request-timeout:s=0|server,s:s|tls-server-name:s|token:s|user:s|username:s|version:s=false?true|warnings-as-errors:b',
  annotate:
    'all:b|all-namespaces,A:b|allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-annotate|field-selector:s|filename,f:l|kustomize,k:s|list:b|local:b|output,o:s|overwrite:b|record:b|recursive,R:b|resource-version:s|selector,l:s|show-managed-fields:b|template:s',
  'api-resources': 'api-group:s|cached:b|categories:l|namespaced:b=true|no-headers:b|output,o:s|show-managed-fields:b|sort-by:s|verbs:l',
  apply:
    'all:b|allow-missing-template-keys:b=true|applyset:s|cascade:s=background?background|dry-run:s=none?unchanged|field-manager:s=kubectl-client-side-apply|filename,f:l|force:b|force-conflicts:b|grace-period:i=-1|kustomize,k:s|openapi-patch:b=true|output,o:s|overwrite:b=true|prune:b|prune-allowlist:a|record:b|recursive,R:b|selector,l:s|server-side:b|show-managed-fields:b|subresource:s|template:s|timeout:d|validate:s=strict?strict|wait:b',
  'apply edit-last-applied':
    'allow-missing-template-keys:b=true|field-manager:s=kubectl-client-side-apply|filename,f:l|kustomize,k:s|output,o:s|record:b|recursive,R:b|show-managed-fields:b|template:s|validate:s=strict?strict|windows-line-endings:b',
  'apply set-last-applied':
    'allow-missing-template-keys:b=true|create-annotation:b|dry-run:s=none?unchanged|filename,f:l|output,o:s|show-managed-fields:b|template:s',
  'apply view-last-applied': 'all:b|filename,f:l|kustomize,k:s|output,o:s=yaml|recursive,R:b|selector,l:s',
  attach: 'container,c:s|detach-keys:s=ctrl-p,ctrl-q|pod-running-timeout:d=1m0s|quiet,q:b|stdin,i:b|tty,t:b',
  'auth can-i': 'all-namespaces,A:b|list:b|no-headers:b|quiet,q:b|subresource:s',
  'auth reconcile':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|filename,f:l|kustomize,k:s|output,o:s|recursive,R:b|remove-extra-permissions:b|remove-extra-subjects:b|show-managed-fields:b|template:s',
  'auth whoami': 'allow-missing-template-keys:b=true|output,o:s|show-managed-fields:b|template:s',
  autoscale:
    'allow-missing-template-keys:b=true|cpu:s|cpu-percent:i3=-1|dry-run:s=none?unchanged|field-manager:s=kubectl-autoscale|filename,f:l|kustomize,k:s|max:i3!=-1|memory:s|min:i3=-1|name:s|output,o:s|record:b|recursive,R:b|save-config:b|show-managed-fields:b|template:s',
  'certificate approve':
    'allow-missing-template-keys:b=true|filename,f:l|force:b|kustomize,k:s|output,o:s|recursive,R:b|show-managed-fields:b|template:s',
  'certificate deny':
    'allow-missing-template-keys:b=true|filename,f:l|force:b|kustomize,k:s|output,o:s|recursive,R:b|show-managed-fields:b|template:s',
  'cluster-info dump':
    'all-namespaces,A:b|allow-missing-template-keys:b=true|namespaces:l|output,o:s=json|output-directory:s|pod-running-timeout:d=20s|show-managed-fields:b|template:s',
  config: 'kubeconfig:s',
  'config get-contexts': 'no-headers:b|output,o:s',
  'config set': 'set-raw-bytes:t=false?true',
  'config set-cluster':
    'certificate-authority:s|embed-certs:t=false?true|insecure-skip-tls-verify:t=false?true|proxy-url:s|server:s|tls-server-name:s',
  'config set-context': 'cluster:s|current:b|namespace,n:s|user:s',
  'config set-credentials':
    'auth-provider:s|auth-provider-arg:l|client-certificate:s|client-key:s|embed-certs:t=false?true|exec-api-version:s|exec-arg:l|exec-command:s|exec-env:a|exec-interactive-mode:s|exec-provide-cluster-info:t=false?true|password:s|token:s|username:s',
  'config view':
    'allow-missing-template-keys:b=true|flatten:b|merge:t=true?true|minify:b|output,o:s=yaml|raw:b|show-managed-fields:b|template:s',
  cordon: 'dry-run:s=none?unchanged|selector,l:s',
  cp: 'container,c:s|no-preserve:b|retries:i',
  create:
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|edit:b|field-manager:s=kubectl-create|filename,f:l|kustomize,k:s|output,o:s|raw:s|record:b|recursive,R:b|save-config:b|selector,l:s|show-managed-fields:b|template:s|validate:s=strict?strict|windows-line-endings:b',
  'create clusterrole':
    'aggregation-rule:m|allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-create|non-resource-url:l|output,o:s|resource:l|resource-name:a|save-config:b|show-managed-fields:b|template:s|validate:s=strict?strict|verb:l',
  'create clusterrolebinding':
    'allow-missing-template-keys:b=true|clusterrole:s!|dry-run:s=none?unchanged|field-manager:s=kubectl-create|group:a|output,o:s|save-config:b|serviceaccount:a|show-managed-fields:b|template:s|user:a|validate:s=strict?strict',
  'create configmap':
    'allow-missing-template-keys:b=true|append-hash:b|dry-run:s=none?unchanged|field-manager:s=kubectl-create|from-env-file:l|from-file:l|from-literal:a|output,o:s|save-config:b|show-managed-fields:b|template:s|validate:s=strict?strict',
  'create cronjob':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-create|image:s!|output,o:s|restart:s|save-config:b|schedule:s!|show-managed-fields:b|template:s|validate:s=strict?strict',
  'create deployment':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-create|image:l!|output,o:s|port:i3=-1|replicas,r:i3=1|save-config:b|show-managed-fields:b|template:s|validate:s=strict?strict',
  'create ingress':
    'allow-missing-template-keys:b=true|annotation:a|class:s|default-backend:s|dry-run:s=none?unchanged|field-manager:s=kubectl-create|output,o:s|rule:a|save-config:b|show-managed-fields:b|template:s|validate:s=strict?strict',
  'create job':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-create|from:s|image:s|output,o:s|save-config:b|show-managed-fields:b|template:s|validate:s=strict?strict',
  'create namespace':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-create|output,o:s|save-config:b|show-managed-fields:b|template:s|validate:s=strict?strict',
  'create poddisruptionbudget':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-create|max-unavailable:s|min-available:s|output,o:s|save-config:b|selector:s|show-managed-fields:b|template:s|validate:s=strict?strict',
  'create priorityclass':
    'allow-missing-template-keys:b=true|description:s|dry-run:s=none?unchanged|field-manager:s=kubectl-create|global-default:b|output,o:s|preemption-policy:s=PreemptLowerPriority|save-config:b|show-managed-fields:b|template:s|validate:s=strict?strict|value:i3',
  'create quota':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-create|hard:s|output,o:s|save-config:b|scopes:s|show-managed-fields:b|template:s|validate:s=strict?strict',
  'create role':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-create|output,o:s|resource:l|resource-name:a|save-config:b|show-managed-fields:b|template:s|validate:s=strict?strict|verb:l',
  'create rolebinding':
    'allow-missing-template-keys:b=true|clusterrole:s|dry-run:s=none?unchanged|field-manager:s=kubectl-create|group:a|output,o:s|role:s|save-config:b|serviceaccount:a|show-managed-fields:b|template:s|user:a|validate:s=strict?strict',
  'create secret docker-registry':
    'allow-missing-template-keys:b=true|append-hash:b|docker-email:s|docker-password:s|docker-server:s=https://index.docker.io/v1/|docker-username:s|dry-run:s=none?unchanged|field-manager:s=kubectl-create|from-file:l|output,o:s|save-config:b|show-managed-fields:b|template:s|validate:s=strict?strict',
  'create secret generic':
    'allow-missing-template-keys:b=true|append-hash:b|dry-run:s=none?unchanged|field-manager:s=kubectl-create|from-env-file:l|from-file:l|from-literal:a|output,o:s|save-config:b|show-managed-fields:b|template:s|type:s|validate:s=strict?strict',
  'create secret tls':
    'allow-missing-template-keys:b=true|append-hash:b|cert:s|dry-run:s=none?unchanged|field-manager:s=kubectl-create|key:s|output,o:s|save-config:b|show-managed-fields:b|template:s|validate:s=strict?strict',
  'create service clusterip':
    'allow-missing-template-keys:b=true|clusterip:s|dry-run:s=none?unchanged|field-manager:s=kubectl-create|output,o:s|save-config:b|show-managed-fields:b|tcp:l|template:s|validate:s=strict?strict',
  'create service externalname':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|external-name:s!|field-manager:s=kubectl-create|output,o:s|save-config:b|show-managed-fields:b|tcp:l|template:s|validate:s=strict?strict',
  'create service loadbalancer':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-create|output,o:s|save-config:b|show-managed-fields:b|tcp:l|template:s|validate:s=strict?strict',
  'create service nodeport':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-create|node-port:i|output,o:s|save-config:b|show-managed-fields:b|tcp:l|template:s|validate:s=strict?strict',
  'create serviceaccount':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-create|output,o:s|save-config:b|show-managed-fields:b|template:s|validate:s=strict?strict',
  'create token':
    'allow-missing-template-keys:b=true|audience:a|bound-object-kind:s|bound-object-name:s|bound-object-uid:s|duration:d|output,o:s|show-managed-fields:b|template:s',
  debug:
    'arguments-only:b|attach:b|container,c:s|copy-to:s|custom:s|env:m|filename,f:l|image:s|image-pull-policy:s|keep-annotations:b|keep-init-containers:b=true|keep-labels:b|keep-liveness:b|keep-readiness:b|keep-startup:b|profile:s=general|quiet,q:b|replace:b|same-node:b|set-image:m|share-processes:b=true|stdin,i:b|target:s|tty,t:b',
  delete:
    'all:b|all-namespaces,A:b|cascade:s=background?background|dry-run:s=none?unchanged|field-selector:s|filename,f:l|force:b|grace-period:i=-1|ignore-not-found:b|interactive,i:b|kustomize,k:s|now:b|output,o:s|raw:s|recursive,R:b|selector,l:s|timeout:d|wait:b=true',
  describe: 'all-namespaces,A:b|chunk-size:i6=500|filename,f:l|kustomize,k:s|recursive,R:b|selector,l:s|show-events:b=true',
  diff: 'concurrency:i=1|field-manager:s=kubectl-client-side-apply|filename,f:l|force-conflicts:b|kustomize,k:s|prune:b|prune-allowlist:a|recursive,R:b|selector,l:s|server-side:b|show-managed-fields:b|show-secrets:b',
  drain:
    'chunk-size:i6=500|delete-emptydir-data:b|disable-eviction:b|dry-run:s=none?unchanged|force:b|grace-period:i=-1|ignore-daemonsets:b|pod-selector:s|selector,l:s|skip-wait-for-delete-timeout:i|timeout:d',
  edit: 'allow-missing-template-keys:b=true|field-manager:s=kubectl-edit|filename,f:l|kustomize,k:s|output,o:s|output-patch:b|record:b|recursive,R:b|save-config:b|show-managed-fields:b|subresource:s|template:s|validate:s=strict?strict|windows-line-endings:b',
  events:
    'all-namespaces,A:b|allow-missing-template-keys:b=true|chunk-size:i6=500|for:s|no-headers:b|output,o:s|show-managed-fields:b|template:s|types:l|watch,w:b',
  exec: 'container,c:s|filename,f:l|pod-running-timeout:d=1m0s|quiet,q:b|stdin,i:b|tty,t:b',
  explain: 'api-version:s|output,o:s=plaintext|recursive,R:b',
  expose:
    'allow-missing-template-keys:b=true|cluster-ip:s|dry-run:s=none?unchanged|external-ip:s|field-manager:s=kubectl-expose|filename,f:l|kustomize,k:s|labels,l:s|load-balancer-ip:s|name:s|output,o:s|override-type:s=merge|overrides:s|port:s|protocol:s|record:b|recursive,R:b|save-config:b|selector:s|session-affinity:s|show-managed-fields:b|target-port:s|template:s|type:s',
  get: 'all-namespaces,A:b|allow-missing-template-keys:b=true|chunk-size:i6=500|field-selector:s|filename,f:l|ignore-not-found:b|kustomize,k:s|label-columns,L:l|no-headers:b|output,o:s|output-watch-events:b|raw:s|recursive,R:b|selector,l:s|server-print:b=true|show-kind:b|show-labels:b|show-managed-fields:b|sort-by:s|subresource:s|template:s|watch,w:b|watch-only:b',
  'kuberc set': 'allowlist-entry:a|appendarg:a|command:s|kuberc:s|name:s|option:a|overwrite:b|policy:s|prependarg:a|section:s!',
  'kuberc view': 'allow-missing-template-keys:b=true|kuberc:s|output,o:s=yaml|show-managed-fields:b|template:s',
  kustomize:
    'as-current-user:b|enable-alpha-plugins:b|enable-helm:b|enable-managedby-label:b|env,e:a|helm-api-versions:a|helm-command:s=helm|helm-debug:b|helm-kube-version:s|load-restrictor:s=LoadRestrictionsRootOnly|mount:a|network:b|network-name:s=bridge|output,o:s|reorder:s=legacy',
  label:
    'all:b|all-namespaces,A:b|allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-label|field-selector:s|filename,f:l|kustomize,k:s|list:b|local:b|output,o:s|overwrite:b|record:b|recursive,R:b|resource-version:s|selector,l:s|show-managed-fields:b|template:s',
  logs: 'all-containers:b|all-pods:b|container,c:s|follow,f:b|ignore-errors:b|insecure-skip-tls-verify-backend:b|limit-bytes:i6|max-log-requests:i=5|pod-running-timeout:d=20s|prefix:b|previous,p:b|selector,l:s|since:d|since-time:s|tail:i6=-1|timestamps:b',
  patch:
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-patch|filename,f:l|kustomize,k:s|local:b|output,o:s|patch,p:s|patch-file:s|record:b|recursive,R:b|show-managed-fields:b|subresource:s|template:s|type:s=strategic',
  'plugin list': 'name-only:b',
  'port-forward': 'address:l=[localhost]|pod-running-timeout:d=1m0s',
  proxy:
    'accept-hosts:s=^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$|accept-paths:s=^.*|address:s=127.0.0.1|api-prefix:s=/|append-server-path:b|disable-filter:b|keepalive:d|port,p:i=8001|reject-methods:s=^$|reject-paths:s=^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach|unix-socket,u:s|www,w:s|www-prefix,P:s=/static/',
  replace:
    'allow-missing-template-keys:b=true|cascade:s=background?background|dry-run:s=none?unchanged|field-manager:s=kubectl-replace|filename,f:l|force:b|grace-period:i=-1|kustomize,k:s|output,o:s|raw:s|recursive,R:b|save-config:b|show-managed-fields:b|subresource:s|template:s|timeout:d|validate:s=strict?strict|wait:b',
  'rollout history':
    'allow-missing-template-keys:b=true|filename,f:l|kustomize,k:s|output,o:s|recursive,R:b|revision:i6|selector,l:s|show-managed-fields:b|template:s',
  'rollout pause':
    'allow-missing-template-keys:b=true|field-manager:s=kubectl-rollout|filename,f:l|kustomize,k:s|output,o:s|recursive,R:b|selector,l:s|show-managed-fields:b|template:s',
  'rollout restart':
    'allow-missing-template-keys:b=true|field-manager:s=kubectl-rollout|filename,f:l|kustomize,k:s|output,o:s|recursive,R:b|selector,l:s|show-managed-fields:b|template:s',
  'rollout resume':
    'allow-missing-template-keys:b=true|field-manager:s=kubectl-rollout|filename,f:l|kustomize,k:s|output,o:s|recursive,R:b|selector,l:s|show-managed-fields:b|template:s',
  'rollout status': 'filename,f:l|kustomize,k:s|recursive,R:b|revision:i6|selector,l:s|timeout:d|watch,w:b=true',
  'rollout undo':
    'allow-missing-template-keys:b=true|dry-run:s=none?unchanged|filename,f:l|kustomize,k:s|output,o:s|recursive,R:b|selector,l:s|show-managed-fields:b|template:s|to-revision:i6',
  run: 'allow-missing-template-keys:b=true|annotations:a|attach:b|cascade:s=background?background|command:b|detach-keys:s=ctrl-p,ctrl-q|dry-run:s=none?unchanged|env:a|expose:b|field-manager:s=kubectl-run|filename,f:l|force:b|grace-period:i=-1|image:s!|image-pull-policy:s|kustomize,k:s|labels,l:s|leave-stdin-open:b|output,o:s|override-type:s=merge|overrides:s|pod-running-timeout:d=1m0s|port:s|privileged:b|quiet,q:b|record:b|recursive,R:b|restart:s=Always|rm:b|save-config:b|show-managed-fields:b|stdin,i:b|template:s|timeout:d|tty,t:b|wait:b',
  scale:
    'all:b|allow-missing-template-keys:b=true|current-replicas:i=-1|dry-run:s=none?unchanged|filename,f:l|kustomize,k:s|output,o:s|record:b|recursive,R:b|replicas:i!|resource-version:s|selector,l:s|show-managed-fields:b|template:s|timeout:d',
  'set env':
    'all:b|allow-missing-template-keys:b=true|containers,c:s=*|dry-run:s=none?unchanged|env,e:a|field-manager:s=kubectl-set|filename,f:l|from:s|keys:l|kustomize,k:s|list:b|local:b|output,o:s|overwrite:b=true|prefix:s|recursive,R:b|resolve:b|selector,l:s|show-managed-fields:b|template:s',
  'set image':
    'all:b|allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-set|filename,f:l|kustomize,k:s|local:b|output,o:s|record:b|recursive,R:b|selector,l:s|show-managed-fields:b|template:s',
  'set resources':
    'all:b|allow-missing-template-keys:b=true|containers,c:s=*|dry-run:s=none?unchanged|field-manager:s=kubectl-set|filename,f:l|kustomize,k:s|limits:s|local:b|output,o:s|record:b|recursive,R:b|requests:s|selector,l:s|show-managed-fields:b|template:s',
  'set selector':
    'all:b|allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-set|filename,f:l|local:b|output,o:s|record:b|recursive,R:b=true|resource-version:s|show-managed-fields:b|template:s',
  'set serviceaccount':
    'all:b|allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-set|filename,f:l|kustomize,k:s|local:b|output,o:s|record:b|recursive,R:b|show-managed-fields:b|template:s',
  'set subject':
    'all:b|allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-set|filename,f:l|group:a|kustomize,k:s|local:b|output,o:s|recursive,R:b|selector,l:s|serviceaccount:a|show-managed-fields:b|template:s|user:a',
  taint:
    'all:b|allow-missing-template-keys:b=true|dry-run:s=none?unchanged|field-manager:s=kubectl-taint|output,o:s|overwrite:b|selector,l:s|show-managed-fields:b|template:s|validate:s=strict?strict',
  'top node': 'no-headers:b|selector,l:s|show-capacity:b|show-swap:b|sort-by:s|use-protocol-buffers:b=true',
  'top pod':
    'all-namespaces,A:b|containers:b|field-selector:s|no-headers:b|selector,l:s|show-swap:b|sort-by:s|sum:b|use-protocol-buffers:b=true',
  uncordon: 'dry-run:s=none?unchanged|selector,l:s',
  version: 'client:b|output,o:s',
  wait: 'all:b|all-namespaces,A:b|allow-missing-template-keys:b=true|field-selector:s|filename,f:l|for:a|local:b|output,o:s|recursive,R:b=true|selector,l:s|show-managed-fields:b|template:s|timeout:d=30s',
};
