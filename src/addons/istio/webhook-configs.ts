// The webhook configurations of an installation without revisions: the default tag's are the ones that act; those of the revision itself are
// deactivated by a selector that nothing fits (manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml 1.28).
import type { KubeObject } from '../../apiserver/types.ts';
import { object } from '../objects.ts';
import { ROOT } from './names.ts';

type Requirement = [key: string, operator: string, ...values: string[]];

const expressions = (list: Requirement[]) => ({
  matchExpressions: list.map(([key, operator, ...values]) => ({ key, operator, ...(values.length ? { values } : {}) })),
});

const NOT_FALSE: Requirement = ['sidecar.istio.io/inject', 'NotIn', 'false'];
const NEVER: Requirement = ['istio.io/deactivated', 'In', 'never-match'];

/** [name, what its namespace has, what the pod has] */
const INJECTORS: [string, Requirement[], Requirement[]][] = [
  [
    'rev.namespace',
    [
      ['istio.io/rev', 'In', 'default'],
      ['istio-injection', 'DoesNotExist'],
    ],
    [NOT_FALSE],
  ],
  [
    'rev.object',
    [
      ['istio.io/rev', 'DoesNotExist'],
      ['istio-injection', 'DoesNotExist'],
    ],
    [NOT_FALSE, ['istio.io/rev', 'In', 'default']],
  ],
  ['namespace', [['istio-injection', 'In', 'enabled']], [NOT_FALSE]],
  [
    'object',
    [
      ['istio-injection', 'DoesNotExist'],
      ['istio.io/rev', 'DoesNotExist'],
    ],
    [
      ['sidecar.istio.io/inject', 'In', 'true'],
      ['istio.io/rev', 'DoesNotExist'],
    ],
  ],
];

const LABELS = {
  app: 'sidecar-injector',
  'app.kubernetes.io/instance': 'istio',
  'app.kubernetes.io/managed-by': 'Helm',
  'app.kubernetes.io/name': 'istiod',
  'app.kubernetes.io/part-of': 'istio',
  'install.operator.istio.io/owning-resource': 'unknown',
  'istio.io/rev': 'default',
  'operator.istio.io/component': 'Pilot',
  release: 'istio',
};

const injector = (name: string, labels: Record<string, string>, active: boolean): KubeObject =>
  object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', name, null, labels, {
    webhooks: INJECTORS.map(([prefix, namespaces, pods]) => ({
      admissionReviewVersions: ['v1'],
      clientConfig: { service: { name: 'istiod', namespace: ROOT, path: '/inject', port: 443 } },
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      name: `${prefix}.sidecar-injector.istio.io`,
      namespaceSelector: expressions(active ? namespaces : [...namespaces, NEVER]),
      objectSelector: expressions(active ? pods : [...pods, NEVER]),
      reinvocationPolicy: 'Never',
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], scope: '*' }],
      sideEffects: 'None',
      timeoutSeconds: 10,
    })),
  });

const validator = (name: string, webhook: string, selector: Requirement[]): KubeObject =>
  object(
    'admissionregistration.k8s.io/v1',
    'ValidatingWebhookConfiguration',
    name,
    null,
    { ...LABELS, app: 'istiod', istio: 'istiod' },
    {
      webhooks: [
        {
          admissionReviewVersions: ['v1'],
          clientConfig: { service: { name: 'istiod', namespace: ROOT, path: '/validate', port: 443 } },
          failurePolicy: 'Fail',
          matchPolicy: 'Equivalent',
          name: webhook,
          objectSelector: expressions(selector),
          rules: [
            {
              apiGroups: ['security.istio.io', 'networking.istio.io', 'telemetry.istio.io', 'extensions.istio.io'],
              apiVersions: ['*'],
              operations: ['CREATE', 'UPDATE'],
              resources: ['*'],
              scope: '*',
            },
          ],
          sideEffects: 'None',
          timeoutSeconds: 10,
        },
      ],
    },
  );

export const webhookConfigurations = (): KubeObject[] => [
  injector('istio-revision-tag-default', { ...LABELS, 'istio.io/tag': 'default' }, true),
  injector('istio-sidecar-injector', LABELS, false),
  validator(`istio-validator-${ROOT}`, 'rev.validation.istio.io', [['istio.io/rev', 'In', 'default']]),
  validator('istiod-default-validator', 'validation.istio.io', [['istio.io/rev', 'DoesNotExist']]),
];
