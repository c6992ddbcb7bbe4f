// Specs of networking.istio.io.
import { bool, int, list, map, open, type Schema, str, struct } from '../objects.ts';

const strings = () => list(str());
const words = (text: string) => str({ enum: text.split(' ') });
const number = (): Schema => ({ maximum: 4294967295, minimum: 0, type: 'integer' });
const port = () => struct({ number: number() });
const match = () => struct({ exact: str(), prefix: str(), regex: str() });
const matches = () => map(match());
const percentage = () => struct({ value: { format: 'double', type: 'number' } });
const duration = () => str();
const labels = () => map(str());

const destination = () => struct({ host: str(), port: port(), subset: str() }, ['host']);
const headerOperations = () => struct({ add: map(str()), remove: strings(), set: map(str()) });
const headers = () => struct({ request: headerOperations(), response: headerOperations() });
const l4Match = (more: Record<string, Schema> = {}) =>
  struct({ destinationSubnets: strings(), gateways: strings(), port: number(), sourceLabels: labels(), sourceNamespace: str(), ...more });
const l4Route = () => list(struct({ destination: destination(), weight: int() }, ['destination']));

const httpMatch = struct({
  authority: match(),
  gateways: strings(),
  headers: matches(),
  ignoreUriCase: bool(),
  method: match(),
  name: str(),
  port: number(),
  queryParams: matches(),
  scheme: match(),
  sourceLabels: labels(),
  sourceNamespace: str(),
  statPrefix: str(),
  uri: match(),
  withoutHeaders: matches(),
});

const http = struct({
  corsPolicy: struct({
    allowCredentials: { nullable: true, type: 'boolean' },
    allowHeaders: strings(),
    allowMethods: strings(),
    allowOrigin: strings(),
    allowOrigins: list(match()),
    exposeHeaders: strings(),
    maxAge: duration(),
    unmatchedPreflights: words('UNSPECIFIED FORWARD IGNORE'),
  }),
  delegate: struct({ name: str(), namespace: str() }),
  directResponse: struct({ body: struct({ bytes: str(), string: str() }), status: number() }, ['status']),
  fault: struct({
    abort: struct({ grpcStatus: str(), http2Error: str(), httpStatus: int(), percentage: percentage() }),
    delay: struct({ exponentialDelay: duration(), fixedDelay: duration(), percent: int(), percentage: percentage() }),
  }),
  headers: headers(),
  match: list(httpMatch),
  mirror: destination(),
  mirrorPercent: { maximum: 4294967295, minimum: 0, nullable: true, type: 'integer' },
  mirrorPercentage: percentage(),
  mirror_percent: { maximum: 4294967295, minimum: 0, nullable: true, type: 'integer' },
  mirrors: list(struct({ destination: destination(), percentage: percentage() }, ['destination'])),
  name: str(),
  redirect: struct({
    authority: str(),
    derivePort: words('FROM_PROTOCOL_DEFAULT FROM_REQUEST_PORT'),
    port: number(),
    redirectCode: number(),
    scheme: str(),
    uri: str(),
  }),
  retries: struct({
    attempts: int(),
    backoff: duration(),
    perTryTimeout: duration(),
    retryIgnorePreviousHosts: { nullable: true, type: 'boolean' },
    retryOn: str(),
    retryRemoteLocalities: { nullable: true, type: 'boolean' },
  }),
  rewrite: struct({ authority: str(), uri: str(), uriRegexRewrite: struct({ match: str(), rewrite: str() }) }),
  route: list(struct({ destination: destination(), headers: headers(), weight: int() }, ['destination'])),
  timeout: duration(),
});

export const virtualService = struct({
  exportTo: strings(),
  gateways: strings(),
  hosts: strings(),
  http: list(http),
  tcp: list(struct({ match: list(l4Match()), route: l4Route() })),
  tls: list(struct({ match: list(l4Match({ sniHosts: strings() })), route: l4Route() }, ['match'])),
});

const clientTls = () =>
  struct({
    caCertificates: str(),
    caCrl: str(),
    clientCertificate: str(),
    credentialName: str(),
    insecureSkipVerify: { nullable: true, type: 'boolean' },
    mode: words('DISABLE SIMPLE MUTUAL ISTIO_MUTUAL'),
    privateKey: str(),
    sni: str(),
    subjectAltNames: strings(),
  });

const policyFields = (): Record<string, Schema> => ({
  connectionPool: struct({
    http: struct({
      h2UpgradePolicy: words('DEFAULT DO_NOT_UPGRADE UPGRADE'),
      http1MaxPendingRequests: int(),
      http2MaxRequests: int(),
      idleTimeout: duration(),
      maxConcurrentStreams: int(),
      maxRequestsPerConnection: int(),
      maxRetries: int(),
      useClientProtocol: bool(),
    }),
    tcp: struct({
      connectTimeout: duration(),
      idleTimeout: duration(),
      maxConnectionDuration: duration(),
      maxConnections: int(),
      tcpKeepalive: struct({ interval: duration(), probes: number(), time: duration() }),
    }),
  }),
  loadBalancer: struct({
    consistentHash: struct({
      httpCookie: struct({ attributes: list(open()), name: str(), path: str(), ttl: duration() }, ['name']),
      httpHeaderName: str(),
      httpQueryParameterName: str(),
      maglev: open(),
      minimumRingSize: { minimum: 0, type: 'integer' },
      ringHash: open(),
      useSourceIp: bool(),
    }),
    localityLbSetting: open(),
    simple: words('UNSPECIFIED LEAST_CONN RANDOM PASSTHROUGH ROUND_ROBIN LEAST_REQUEST'),
    warmup: open(),
    warmupDurationSecs: duration(),
  }),
  outlierDetection: struct({
    baseEjectionTime: duration(),
    consecutive5xxErrors: { maximum: 4294967295, minimum: 0, nullable: true, type: 'integer' },
    consecutiveErrors: int(),
    consecutiveGatewayErrors: { maximum: 4294967295, minimum: 0, nullable: true, type: 'integer' },
    consecutiveLocalOriginFailures: { maximum: 4294967295, minimum: 0, nullable: true, type: 'integer' },
    interval: duration(),
    maxEjectionPercent: int(),
    minHealthPercent: int(),
    splitExternalLocalOriginErrors: bool(),
  }),
  tls: clientTls(),
});

const trafficPolicy = () =>
  struct({
    ...policyFields(),
    portLevelSettings: list(struct({ ...policyFields(), port: port() })),
    proxyProtocol: struct({ version: words('V1 V2') }),
    retryBudget: open(),
    tunnel: struct({ protocol: str(), targetHost: str(), targetPort: number() }, ['targetHost', 'targetPort']),
  });

export const destinationRule = struct(
  {
    exportTo: strings(),
    host: str(),
    subsets: list(struct({ labels: labels(), name: str(), trafficPolicy: trafficPolicy() }, ['name'])),
    trafficPolicy: trafficPolicy(),
    workloadSelector: struct({ matchLabels: labels() }),
  },
  ['host'],
);

const serverTls = () =>
  struct({
    caCertificates: str(),
    caCertCredentialName: str(),
    caCrl: str(),
    cipherSuites: strings(),
    credentialName: str(),
    credentialNames: strings(),
    httpsRedirect: bool(),
    maxProtocolVersion: words('TLS_AUTO TLSV1_0 TLSV1_1 TLSV1_2 TLSV1_3'),
    minProtocolVersion: words('TLS_AUTO TLSV1_0 TLSV1_1 TLSV1_2 TLSV1_3'),
    mode: words('PASSTHROUGH SIMPLE MUTUAL AUTO_PASSTHROUGH ISTIO_MUTUAL OPTIONAL_MUTUAL'),
    privateKey: str(),
    serverCertificate: str(),
    subjectAltNames: strings(),
    tlsCertificates: list(open()),
    verifyCertificateHash: strings(),
    verifyCertificateSpki: strings(),
  });

const serverPort = () => struct({ name: str(), number: number(), protocol: str(), targetPort: number() }, ['number', 'protocol', 'name']);

export const gateway = struct({
  selector: labels(),
  servers: list(
    struct({ bind: str(), defaultEndpoint: str(), hosts: strings(), name: str(), port: serverPort(), tls: serverTls() }, ['port', 'hosts']),
  ),
});

export const workload = struct({
  address: str({ maxLength: 256 }),
  labels: labels(),
  locality: str({ maxLength: 2048 }),
  network: str({ maxLength: 2048 }),
  ports: map(number()),
  serviceAccount: str({ maxLength: 253 }),
  weight: number(),
});

export const serviceEntry = struct(
  {
    addresses: list(str({ maxLength: 64 }), { maxItems: 256 }),
    endpoints: list(workload, { maxItems: 4096 }),
    exportTo: strings(),
    hosts: list(str(), { maxItems: 256, minItems: 1 }),
    location: words('MESH_EXTERNAL MESH_INTERNAL'),
    ports: list(
      struct({ name: str({ maxLength: 256 }), number: number(), protocol: str({ maxLength: 256 }), targetPort: number() }, [
        'number',
        'name',
      ]),
      { maxItems: 256, 'x-kubernetes-list-map-keys': ['name'], 'x-kubernetes-list-type': 'map' },
    ),
    resolution: words('NONE STATIC DNS DNS_ROUND_ROBIN DYNAMIC_DNS'),
    subjectAltNames: strings(),
    workloadSelector: struct({ labels: labels() }),
  },
  ['hosts'],
);

const sidecarPort = () => struct({ name: str(), number: number(), protocol: str(), targetPort: number() });

export const sidecar = struct({
  egress: list(struct({ bind: str(), captureMode: words('DEFAULT IPTABLES NONE'), hosts: strings(), port: sidecarPort() }, ['hosts'])),
  inboundConnectionPool: open(),
  ingress: list(
    struct(
      {
        bind: str(),
        captureMode: words('DEFAULT IPTABLES NONE'),
        connectionPool: open(),
        defaultEndpoint: str(),
        port: sidecarPort(),
        tls: serverTls(),
      },
      ['port'],
    ),
  ),
  outboundTrafficPolicy: struct({ egressProxy: destination(), mode: words('REGISTRY_ONLY ALLOW_ANY') }),
  workloadSelector: struct({ labels: labels() }),
});
