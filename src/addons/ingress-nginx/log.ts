// What the controller says in its log (ingress-nginx v1.13 internal/ingress/controller: controller.go, store/store.go, status/status.go;
// client-go tools/record/event.go). Of leader election and the validating webhook it says nothing here.
import { type Recorder, recordEvent, referenceTo } from '../../apiserver/recorder.ts';
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { complain } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { klogStamp } from '../../sim/time.ts';
import { isMine, mine, readyEndpoints, type Settings } from './translate.ts';

export function klog(p: Process, severity: 'I' | 'W' | 'E' | 'F', where: string, text: string): void {
  complain(p, `${severity}${klogStamp(p.kernel.sim.nowMs)}       7 ${where}] ${text}\n`);
}

/** An event, and the line that StartLogging writes of it; null: it was made before. */
export function tell(p: Process, recorder: Recorder | null, o: KubeObject, reason: string, message: string): void {
  if (recorder) recordEvent(recorder, o, 'Normal', reason, message);
  const ref = referenceTo(o);
  const of = `Kind:"${ref.kind}", Namespace:"${ref.namespace ?? ''}", Name:"${ref.name}", UID:"${ref.uid}", APIVersion:"${ref.apiVersion}", ResourceVersion:"${ref.resourceVersion}", FieldPath:""`;
  klog(p, 'I', 'event.go:377', `Event(v1.ObjectReference{${of}}): type: 'Normal' reason: '${reason}' ${message}`);
}

export function sayStart(p: Process, s: Settings): void {
  const address = p.env.get('KUBERNETES_SERVICE_HOST') ?? '';
  const port = p.env.get('KUBERNETES_SERVICE_PORT') ?? '443';
  klog(
    p,
    'W',
    'client_config.go:667',
    'Neither --kubeconfig nor --master was specified.  Using the inClusterConfig.  This might not work.',
  );
  if (address)
    klog(p, 'I', 'main.go:205', `"Creating API client" host="https://${address.includes(':') ? `[${address}]` : address}:${port}"`);
  klog(p, 'I', 'main.go:101', '"SSL fake certificate created" file="/etc/ingress-controller/ssl/default-fake-certificate.pem"');
  klog(p, 'I', 'nginx.go:273', '"Starting NGINX Ingress controller"');
  const class_ = listObjects(s.server, 'ingressclasses.networking.k8s.io').some(c => c.spec?.controller === s.controllerClass);
  if (!class_ && !s.withoutClass) klog(p, 'W', 'store.go:300', `no IngressClass resource with controller ${s.controllerClass} found`);
}

/** store.go: an Ingress that has come, by whether it is the controller's own. */
export function sayClass(p: Process, s: Settings, ing: KubeObject): void {
  const key = `${ing.metadata.namespace}/${ing.metadata.name}`;
  const name = ing.metadata.annotations?.['kubernetes.io/ingress.class'] ?? ing.spec?.ingressClassName ?? '';
  if (isMine(s, ing)) {
    klog(p, 'I', 'store.go:440', `"Found valid IngressClass" ingress="${key}" ingressclass="${name || '_'}"`);
    return;
  }
  const why = name ? `no object matching key \\"${name}\\" in local store` : 'ingress does not contain a valid IngressClass';
  klog(p, 'I', 'store.go:436', `"Ignoring ingress because of error while validating ingress class" ingress="${key}" error="${why}"`);
}

/** What getBackendServers and createServers warn of, each time that they look. */
export function sayMissing(p: Process, s: Settings): void {
  const said = new Set<string>();
  const warn = (where: string, text: string) => {
    if (!said.has(text)) klog(p, 'W', where, text);
    said.add(text);
  };
  for (const ing of mine(s)) {
    const namespace = ing.metadata.namespace ?? '';
    const backends = [
      ing.spec?.defaultBackend,
      ...(ing.spec?.rules ?? []).flatMap((r: any) => (r.http?.paths ?? []).map((x: any) => x.backend)),
    ];
    for (const { service } of backends.filter(b => b?.service)) {
      const key = `${namespace}/${service.name}`;
      const found = getObject(s.server, 'services', namespace, service.name);
      if (!found)
        warn('controller.go:1108', `Error obtaining Endpoints for Service "${key}": no object matching key "${key}" in local store`);
      else if (found.spec?.type !== 'ExternalName' && !readyEndpoints(s, namespace, service))
        warn('controller.go:1216', `Service "${key}" does not have any active Endpoint.`);
    }
    for (const { secretName } of ing.spec?.tls ?? []) {
      const key = `${namespace}/${secretName}`;
      if (secretName && !getObject(s.server, 'secrets', namespace, secretName))
        warn(
          'controller.go:1486',
          `Error getting SSL certificate "${key}": local SSL certificate ${key} was not found. Using default certificate`,
        );
    }
  }
}

/** status.go: addresses that change. */
export function sayStatus(p: Process, ing: KubeObject, next: unknown[]): void {
  const now = ing.status?.loadBalancer?.ingress;
  const values = `currentValue=${now?.length ? JSON.stringify(now) : 'null'} newValue=${JSON.stringify(next)}`;
  klog(p, 'I', 'status.go:304', `"updating Ingress status" namespace="${ing.metadata.namespace}" ingress="${ing.metadata.name}" ${values}`);
}
