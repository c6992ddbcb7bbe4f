import { beforeAll, describe, expect, it } from 'vitest';
import { client, config, type Mesh, mesh, namespace, server } from './mesh.ts';

let c: Mesh;

beforeAll(async () => {
  c = await mesh();
  c.apply(namespace('inside', true), namespace('beside', true), namespace('outside', false));
  for (const ns of ['inside', 'beside', 'outside']) c.apply(...client(ns), ...server(ns, 'bin'));
  c.rest();
  c.rest();
}, 120_000);

const peers = (ns: string, name: string, spec: object) => config('PeerAuthentication', ns, name, spec);
const remove = (...words: string[]) => void c.must(['delete', ...words]);

describe('injection', () => {
  it('puts a proxy beside the containers of labelled namespaces, and only there', () => {
    const ready = (ns: string) => c.must(`-n ${ns} get pods -l app=bin --no-headers`).split(/ +/)[1];
    expect([ready('inside'), ready('outside')]).toEqual(['2/2', '1/1']);
    const status = c.must("-n inside get pod -l app=bin -o jsonpath={.items[0].metadata.annotations['sidecar\\.istio\\.io/status']}");
    expect(JSON.parse(status)).toMatchObject({ initContainers: ['istio-init', 'istio-proxy'], containers: null });
    const labels = JSON.parse(c.must('-n inside get pod -l app=bin -o jsonpath={.items[0].metadata.labels}'));
    expect(labels).toMatchObject({
      'security.istio.io/tlsMode': 'istio',
      'service.istio.io/canonical-name': 'bin',
      'service.istio.io/canonical-revision': 'only',
    });
  });

  it('is asked for and refused by the label of a pod', () => {
    const pod = (name: string, ns: string, inject: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: ns, labels: { 'sidecar.istio.io/inject': inject } },
      spec: { containers: [{ name: 'c', image: 'registry.k8s.io/pause:3.10' }], terminationGracePeriodSeconds: 0 },
    });
    c.apply(pod('asks', 'outside', 'true'), pod('refuses', 'inside', 'false'));
    c.rest();
    const inits = (ns: string, name: string) => c.must(`-n ${ns} get pod ${name} -o jsonpath={.spec.initContainers[*].name}`);
    expect(inits('outside', 'asks')).toBe('istio-init istio-proxy');
    expect(inits('inside', 'refuses')).toBe('');
    remove('pod', 'asks', '-n', 'outside');
    remove('pod', 'refuses', '-n', 'inside');
  });

  it('fails with the API server when istiod is away', () => {
    c.must('-n istio-system scale deployment istiod --replicas=0');
    c.rest();
    const r = c.kubectl('-n inside run late --image=registry.k8s.io/pause:3.10');
    const ip = c.must('-n istio-system get svc istiod -o jsonpath={.spec.clusterIP}');
    expect(r.err).toBe(
      `Error from server (InternalError): Internal error occurred: failed calling webhook "namespace.sidecar-injector.istio.io": failed to call webhook: Post "https://istiod.istio-system.svc:443/inject?timeout=10s": dial tcp ${ip}:443: connect: connection refused\n`,
    );
    expect(c.kubectl('-n outside run late --image=registry.k8s.io/pause:3.10 --dry-run=server').code).toBe(0);
    c.must('-n istio-system scale deployment istiod --replicas=1');
    c.rest();
  });

  it('lets the kubelet probe through the agent, also where only certificates count', () => {
    c.apply(peers('inside', 'default', { mtls: { mode: 'STRICT' } }));
    c.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'probed', namespace: 'inside', labels: { app: 'probed' } },
      spec: {
        containers: [
          {
            name: 'web',
            image: 'nginx:1.27',
            ports: [{ name: 'web', containerPort: 80 }],
            readinessProbe: { httpGet: { path: '/', port: 'web' } },
            livenessProbe: { tcpSocket: { port: 81 }, failureThreshold: 100 },
          },
        ],
      },
    });
    c.rest();
    c.rest();
    expect(c.must('-n inside get pod probed --no-headers')).toMatch(/2\/2/);
    expect(c.must('-n inside get pod probed -o jsonpath={.spec.containers[0].readinessProbe.httpGet}')).toBe(
      '{"path":"/app-health/web/readyz","port":15020,"scheme":"HTTP"}',
    );
    expect(c.must('-n inside get events')).toMatch(/Liveness probe failed: HTTP probe failed with statuscode: 500/);
    remove('pod', 'probed', '-n', 'inside', '--grace-period=0', '--force');
    remove('peerauthentication', 'default', '-n', 'inside');
  });
});

describe('redirection', () => {
  it('is rules in the nat table of the pod', () => {
    const rules = c.kubectl('-n inside exec deploy/bin -c istio-proxy -- true').code;
    expect(rules).toBe(0);
    const log = c.must('-n inside logs deploy/bin -c istio-init');
    expect(log).toContain('-A ISTIO_INBOUND -p tcp --dport 15021 -j RETURN\n');
    expect(log).toContain('-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN\n');
    const pod = c.must('-n inside get pod -l app=client -o jsonpath={.items[0].metadata.name}');
    const node = c.must(`-n inside get pod ${pod} -o jsonpath={.spec.nodeName}`);
    const ns = [...(c.engine.nodes.get(node)?.kernel().netns.values() ?? [])].find(n => n.name === `inside/${pod}`);
    expect(ns?.netfilter.xt[4].get('nat')?.chains.has('ISTIO_REDIRECT')).toBe(true);
  });

  it('leaves the proxy itself alone', () => {
    // The same request from the proxy's own user: no proxy answers for it, and no certificate goes with it.
    const r = c.kubectl('-n inside exec deploy/client -c istio-proxy -- curl -s http://bin.beside:8000/headers');
    expect(r.out).not.toContain('X-Forwarded-Client-Cert');
    expect(c.curl('inside', 'http://bin.beside:8000/headers').out).toContain('X-Forwarded-Client-Cert');
  });

  it('keeps out what annotations exclude', () => {
    c.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'direct',
        namespace: 'inside',
        annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '8000' },
      },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'c', image: 'curlimages/curl:8.16.0', command: ['sleep', 'infinity'] }],
      },
    });
    c.rest();
    const r = c.kubectl('-n inside exec direct -c c -- curl -s http://bin.beside:8000/headers');
    expect(r.out).not.toContain('X-Forwarded-Client-Cert');
    remove('pod', 'direct', '-n', 'inside');
  });
});

describe('mutual TLS', () => {
  it('is between proxies by itself, and plain to whom has none', () => {
    const { out } = c.curl('inside', 'http://bin.beside:8000/headers');
    expect(out).toMatch(
      /"X-Forwarded-Client-Cert": "By=spiffe:\/\/cluster\.local\/ns\/beside\/sa\/bin;Hash=[0-9a-f]{64};Subject=\\"\\";URI=spiffe:\/\/cluster\.local\/ns\/inside\/sa\/client"/,
    );
    expect(c.curl('inside', 'http://bin.outside:8000/headers').out).toMatch(
      /"X-Envoy-Decorator-Operation": "bin\.outside\.svc\.cluster\.local:8000\/\*"/,
    );
    expect(c.curl('inside', 'http://bin.outside:8000/headers').out).not.toContain('Client-Cert');
    expect(c.curl('outside', '-i', 'http://bin.inside:8000/ip').out).toMatch(
      /^HTTP\/1\.1 200 OK\r\nserver: istio-envoy\r\n[\s\S]*x-envoy-decorator-operation: bin\.inside\.svc\.cluster\.local:8000\/\*\r\n[\s\S]*"origin": "127\.0\.0\.6"/,
    );
  });

  it('can be asked of everybody: whoever comes without is reset', () => {
    c.apply(peers('istio-system', 'default', { mtls: { mode: 'STRICT' } }));
    expect(c.status('beside', 'http://bin.inside:8000/ip')).toBe('200');
    expect(c.status('outside', 'http://bin.outside:8000/ip')).toBe('200');
    const r = c.curl('outside', '-S', 'http://bin.inside:8000/ip');
    expect(r.err).toContain('curl: (56) Recv failure: Connection reset by peer\n');
    expect(c.curl('outside', '-S', '-k', 'https://bin.inside:8000/ip')).toMatchObject({
      code: 56,
      err: expect.stringContaining('certificate required'),
    });
    remove('peerauthentication', 'default', '-n', 'istio-system');
    expect(c.status('outside', 'http://bin.inside:8000/ip')).toBe('200');
  });

  it('is ruled by the nearest policy: workload, then namespace; ports are the pod’s', () => {
    c.apply(peers('inside', 'default', { mtls: { mode: 'STRICT' } }));
    expect(c.status('outside', 'http://bin.inside:8000/ip')).toBe('000 exit 56');
    expect(c.status('outside', 'http://bin.beside:8000/ip')).toBe('200');
    const own = (more: object) => peers('inside', 'bin', { selector: { matchLabels: { app: 'bin' } }, ...more });
    c.apply(own({ mtls: { mode: 'PERMISSIVE' } }));
    expect(c.status('outside', 'http://bin.inside:8000/ip')).toBe('200');
    c.apply(own({ mtls: { mode: 'STRICT' }, portLevelMtls: { 8000: { mode: 'DISABLE' } } }));
    expect(c.status('outside', 'http://bin.inside:8000/ip')).toBe('000 exit 56');
    c.apply(own({ mtls: { mode: 'STRICT' }, portLevelMtls: { 80: { mode: 'DISABLE' } } }));
    expect(c.status('outside', 'http://bin.inside:8000/ip')).toBe('200');
    // Clients are told: no certificate is offered where none is taken.
    expect(c.curl('beside', 'http://bin.inside:8000/headers').out).not.toContain('Client-Cert');
    remove('peerauthentication', 'default', 'bin', '-n', 'inside');
  });

  it('has ports only for workloads that are chosen, and modes that exist', () => {
    const refused = (spec: object) => c.kubectl('apply -f -', JSON.stringify(peers('inside', 'odd', spec))).err;
    expect(refused({ portLevelMtls: { 80: { mode: 'DISABLE' } } })).toMatch(
      /^The PeerAuthentication "odd" is invalid: spec: Invalid value: .*portLevelMtls requires selector\n$/,
    );
    expect(refused({ mtls: { mode: 'SOMETIMES' } })).toContain(
      'spec.mtls.mode: Unsupported value: "SOMETIMES": supported values: "UNSET", "DISABLE", "PERMISSIVE", "STRICT"',
    );
  });

  it('fails where a rule makes a client speak what the server does not', () => {
    const rule = (name: string, host: string, mode: string) =>
      config('DestinationRule', 'inside', name, { host, trafficPolicy: { tls: { mode } } });
    c.apply(rule('force', 'bin.outside.svc.cluster.local', 'ISTIO_MUTUAL'), rule('plain', 'bin.beside.svc.cluster.local', 'DISABLE'));
    c.apply(peers('beside', 'default', { mtls: { mode: 'STRICT' } }));
    const wrong = c.curl('inside', '-w', ' %{http_code}', 'http://bin.outside:8000/ip').out;
    expect(wrong).toMatch(/^upstream connect error or disconnect\/reset before headers\. .*WRONG_VERSION_NUMBER:TLS_error_end 503$/);
    const cut = c.curl('inside', '-w', ' %{http_code}', 'http://bin.beside:8000/ip').out;
    expect(cut).toBe('upstream connect error or disconnect/reset before headers. reset reason: connection termination 503');
    remove('destinationrule', 'force', 'plain', '-n', 'inside');
    remove('peerauthentication', 'default', '-n', 'beside');
  });
});

describe('the access log', () => {
  it('tells both ends of a request', () => {
    c.curl('inside', 'http://bin.beside:8000/status/418');
    const last = (ns: string, app: string) => c.must(`-n ${ns} logs deploy/${app} -c istio-proxy --tail=1`);
    expect(last('inside', 'client')).toMatch(
      /^\[\S+Z\] "GET \/status\/418 HTTP\/1\.1" 418 - via_upstream - "-" 0 \d+ \d+ \d+ "-" "curl\/\S+" "[0-9a-f-]{36}" "bin\.beside:8000" "10\.244\.\d+\.\d+:80" outbound\|8000\|\|bin\.beside\.svc\.cluster\.local 10\.244\.\S+ 10\.\d+\.\d+\.\d+:8000 10\.244\.\S+ - default\n$/,
    );
    expect(last('beside', 'bin')).toMatch(
      / "10\.244\.\d+\.\d+:80" inbound\|80\|\| 127\.0\.0\.6:\d+ 10\.244\.\d+\.\d+:80 10\.244\.\S+ outbound_\.8000_\._\.bin\.beside\.svc\.cluster\.local default\n$/,
    );
  });
});
