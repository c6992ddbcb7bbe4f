import { describe, expect, it } from 'vitest';
import { failure, kubectl, newCluster, stdout } from './cluster.ts';

const WEB = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: nginx}
`;

describe('apply', () => {
  it('creates, leaves alone and configures, and takes out what the manifest no longer has', async () => {
    const c = newCluster();
    const map = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: ${data}\n`;
    expect(await stdout(c, 'apply -f -', map('{a: "1", b: "2"}'))).toBe('configmap/m created\n');
    expect(await stdout(c, 'apply -f -', map('{a: "1", b: "2"}'))).toBe('configmap/m unchanged\n');
    await stdout(c, `patch cm m -p '{"data":{"live":"x"}}'`);
    expect(await stdout(c, 'apply -f -', map('{a: "3"}'))).toBe('configmap/m configured\n');
    expect(await stdout(c, `get cm m -o jsonpath='{.data}'`)).toBe('{"a":"3","live":"x"}');
  });

  it('reads folders and several documents, and says what each became', async () => {
    const c = newCluster();
    c.files.set('d/1.yaml', `${WEB}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n`);
    c.files.set('d/2.json', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"j"}}');
    c.files.set('d/notes.txt', 'not a manifest');
    expect(await stdout(c, 'apply -f d')).toBe('deployment.apps/web created\nnamespace/other created\nconfigmap/j created\n');
    expect(await stdout(c, 'apply -f d --dry-run=server')).toContain('web unchanged (server dry run)\n');
  });

  it('keeps live fields of a list merged by name, and prunes by label', async () => {
    const c = newCluster();
    const two = (n: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${n}, labels: {set: x}}\n`;
    await stdout(c, 'apply -f -', `${two('p1')}---\n${two('p2')}`);
    expect(await stdout(c, 'apply -f - --prune -l set=x --prune-allowlist=core/v1/ConfigMap', two('p1'))).toBe(
      'configmap/p1 unchanged\nconfigmap/p2 pruned\n',
    );
    await stdout(c, 'apply -f -', WEB);
    await stdout(c, 'set env deploy/web LIVE=yes');
    await stdout(c, 'apply -f -', WEB.replace('nginx', 'nginx:2'));
    expect(await stdout(c, `get deploy web -o jsonpath='{.spec.template.spec.containers[0].env[0].name} {..image}'`)).toBe('LIVE nginx:2');
  });

  it('names the object that the server refused', async () => {
    const c = newCluster();
    const bad = 'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 0}]}\n';
    expect(await failure(c, 'apply -f -', bad)).toMatch(
      /^The Service "s" is invalid: \n\* spec\.ports\[0\]\.port: Invalid value: 0: must be between 1 and 65535/,
    );
  });
});

describe('get', () => {
  it('prints tables, names, several kinds and nothing', async () => {
    const c = newCluster();
    expect(await kubectl(c, 'get cm')).toEqual({ stdout: '', stderr: 'No resources found in default namespace.\n', code: 0 });
    await stdout(c, 'create cm one --from-literal=a=1');
    await stdout(c, 'create deployment web --image=nginx --replicas=0');
    expect(await stdout(c, 'get cm')).toBe('NAME   DATA   AGE\none    1      0s\n');
    expect(await stdout(c, 'get cm,deploy -o name')).toBe('configmap/one\ndeployment.apps/web\n');
    expect(await stdout(c, 'get cm one --no-headers --show-labels')).toBe('one   1     0s    <none>\n');
    expect(await stdout(c, 'get cm -o custom-columns=N:.metadata.name,A:.data.a')).toBe('N     A\none   1\n');
    expect(await stdout(c, `get cm one -o go-template='{{range $k, $v := .data}}{{$k}}={{$v}}{{end}}'`)).toBe('a=1');
  });

  it('fails in the server’s words and kubectl’s', async () => {
    const c = newCluster();
    expect(await failure(c, 'get nosuch')).toBe('error: the server doesn\'t have a resource type "nosuch"\n');
    expect(await failure(c, 'get pod x')).toBe('Error from server (NotFound): pods "x" not found\n');
    expect(await failure(c, 'get pod x -n nope')).toBe('Error from server (NotFound): namespaces "nope" not found\n');
    expect(await failure(c, 'get pods -o bogus')).toMatch(/^error: unable to match a printer suitable for the output format "bogus"/);
    expect(await failure(c, 'gte pods')).toBe('error: unknown command "gte" for "kubectl"\n\nDid you mean this?\n\tget\n');
    expect(await failure(c, 'get pods --nosuch')).toBe("error: unknown flag: --nosuch\nSee 'kubectl get --help' for usage.\n");
  });
});

describe('other verbs', () => {
  it('change objects and say so', async () => {
    const c = newCluster();
    await stdout(c, 'create deployment web --image=nginx --replicas=0');
    expect(await stdout(c, 'scale deploy web --replicas=3')).toBe('deployment.apps/web scaled\n');
    expect(await stdout(c, 'set image deploy/web nginx=nginx:2')).toBe('deployment.apps/web image updated\n');
    expect(await stdout(c, 'label deploy web a=b')).toBe('deployment.apps/web labeled\n');
    expect(await failure(c, 'label deploy web a=c')).toBe("error: 'a' already has a value (b), and --overwrite is false\n");
    expect(await stdout(c, 'annotate deploy web note=x')).toBe('deployment.apps/web annotated\n');
    expect(await stdout(c, 'expose deploy web --port=80')).toBe('service/web exposed\n');
    expect(await stdout(c, 'autoscale deploy web --max=4 --cpu=50%')).toBe('horizontalpodautoscaler.autoscaling/web autoscaled\n');
    expect(await stdout(c, 'delete deploy,svc web')).toBe(
      'deployment.apps "web" deleted from default namespace\nservice "web" deleted from default namespace\n',
    );
  });

  it('diff shows hunks and ends with 1 when something would change', async () => {
    const c = newCluster();
    await stdout(c, 'apply -f -', WEB);
    expect((await kubectl(c, 'diff -f -', WEB)).code).toBe(0);
    const ran = await kubectl(c, 'diff -f -', WEB.replace('nginx', 'nginx:2'));
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/^-\s+- image: nginx$/m);
    expect(ran.stdout).toMatch(/^\+\s+- image: nginx:2$/m);
    expect(ran.stderr).toBe('');
  });

  it('waits in virtual time', async () => {
    const c = newCluster();
    await stdout(c, 'run p --image=nginx');
    const before = c.sim.nowMs;
    expect(await failure(c, 'wait --for=condition=Ready pod/p --timeout=5s')).toBe(
      'error: timed out waiting for the condition on pods/p\n',
    );
    expect(c.sim.nowMs - before).toBe(5000);
  });

  it('cordons and taints nodes', async () => {
    const c = newCluster();
    await stdout(c, 'create -f -', 'apiVersion: v1\nkind: Node\nmetadata: {name: box}\n');
    expect(await stdout(c, 'cordon box')).toBe('node/box cordoned\n');
    expect(await stdout(c, 'cordon box')).toBe('node/box already cordoned\n');
    expect(await stdout(c, 'taint node box a=b:NoSchedule')).toBe('node/box tainted\n');
    expect(await stdout(c, 'taint node box a-')).toBe('node/box untainted\n');
    expect(await failure(c, 'taint node box a-')).toBe('error: taint "a" not found\n');
  });

  it('asks the server who may do what', async () => {
    const c = newCluster();
    const bob = '--as=bob';
    expect(await kubectl(c, `auth can-i list pods ${bob}`)).toMatchObject({ stdout: 'no\n', code: 1 });
    await stdout(c, 'create rolebinding look --clusterrole=view --user=bob');
    expect(await stdout(c, `auth can-i list pods ${bob}`)).toBe('yes\n');
    expect(await kubectl(c, `auth can-i delete pods ${bob}`)).toMatchObject({ stdout: 'no\n', code: 1 });
    expect(await kubectl(c, `auth can-i list pods ${bob} -n kube-system`)).toMatchObject({ code: 1 });
    expect(await stdout(c, `auth can-i get /version ${bob} --as-group=dev`)).toBe('yes\n');
    expect(await stdout(c, `auth whoami ${bob} --as-group=dev`)).toMatch(/Username +bob\nGroups +\[dev system:authenticated\]\n$/);
    expect(await stdout(c, `auth can-i --list ${bob}`)).toMatch(/^services +\[\] +\[\] +\[get list watch\]$/m);
    expect(await stdout(c, 'auth can-i delete nodes')).toBe('yes\n');
  });

  it('completes words, flags and names', async () => {
    const c = newCluster();
    await stdout(c, 'create cm one');
    expect(await stdout(c, '__complete get cm o')).toBe('one\n:4\n');
    expect(await stdout(c, '__complete ro')).toBe('rollout\tManage the rollout of a resource\n:4\n');
    expect(await stdout(c, '__complete get pods -n kube')).toBe('kube-system\n:4\n');
  });

  it('config changes contexts', async () => {
    const c = newCluster();
    expect(await stdout(c, 'config set-context --current --namespace=kube-system')).toBe('Context "admin@here" modified.\n');
    expect(await kubectl(c, 'get cm')).toMatchObject({ stderr: 'No resources found in kube-system namespace.\n' });
    expect(await failure(c, 'config use-context nope')).toBe('error: no context exists with the name: "nope"\n');
    expect(await failure(c, 'get pods --context=nope')).toBe('Error in configuration: context was not found for specified context: nope\n');
    expect(await failure(c, 'api-versions --context=nope')).toBe('error: context "nope" does not exist\n');
  });
});

describe('kustomize', () => {
  it('lays patches, labels and generated names over resources', async () => {
    const c = newCluster();
    const uses = WEB.replace('image: nginx}', 'image: nginx, envFrom: [{configMapRef: {name: conf}}]}');
    c.files.set('k/kustomization.yaml', 'resources: [../web.yaml]\nnamePrefix: x-\n');
    expect(await failure(c, 'kustomize k')).toBe('error: podnet\'s kustomize has no field "namePrefix" (k/kustomization.yaml)\n');
    c.files.set('web.yaml', uses);
    c.files.set(
      'k/kustomization.yaml',
      'resources: [../web.yaml]\nlabels: [{pairs: {team: x}, includeSelectors: true}]\nimages: [{name: nginx, newTag: "2"}]\nconfigMapGenerator: [{name: conf, literals: [A=1, B=two]}]\n',
    );
    expect(await stdout(c, 'apply -k k')).toBe('configmap/conf-6b56fdfggc created\ndeployment.apps/web created\n');
    expect(await stdout(c, `get deploy web -o jsonpath='{.spec.selector.matchLabels.team} {..image} {..configMapRef.name}'`)).toBe(
      'x nginx:2 conf-6b56fdfggc',
    );
  });
});

describe('what a command line names', () => {
  it('takes --user of a binding for a subject, not for a user of the kubeconfig', async () => {
    const c = newCluster();
    const made = await stdout(c, 'create rolebinding read --role=reader --user=ann --user=bob --dry-run=client -o yaml');
    expect(made.match(/^ {2}name: (ann|bob)$/gm)).toHaveLength(2);
    expect(await failure(c, 'get pods --user=nobody')).toBe('error: auth info "nobody" does not exist\n');
  });

  it('reads a URL only when something stands for it', async () => {
    const c = newCluster();
    expect(await failure(c, 'apply -f https://elsewhere.example/all.yaml')).toContain(
      'unable to read URL "https://elsewhere.example/all.yaml"',
    );
    c.pages.set('https://known.example/map.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fetched}\n');
    expect(await stdout(c, 'apply -f https://known.example/map.yaml')).toBe('configmap/fetched created\n');
    expect(await stdout(c, 'kustomize https://known.example/map.yaml')).toContain('name: fetched');
  });
});

describe('-o json', () => {
  const keys = (json: string) => [...json.matchAll(/^ {0,8}"(\w+)":/gm)].map(m => m[1]).join(' ');

  it('has the fields of what a generator made in the order of their declaration', async () => {
    const c = newCluster();
    expect(keys(await stdout(c, 'run p --image=i --labels=b=1,a=2 --dry-run=client -o json'))).toBe(
      'kind apiVersion metadata name labels spec containers restartPolicy dnsPolicy status',
    );
    expect(await stdout(c, 'run p --image=i --labels=b=1,a=2 --dry-run=client -o json')).toMatch(/"a": "2",\s+"b": "1"/);
    expect(keys(await stdout(c, 'create deployment d --image=i --dry-run=client -o json'))).toMatch(
      /^kind apiVersion metadata name labels spec replicas selector template strategy/,
    );
    expect(keys(await stdout(c, 'create service clusterip s --tcp=80 -o json'))).toMatch(
      /^kind apiVersion metadata name namespace uid resourceVersion creationTimestamp labels spec ports selector clusterIP/,
    );
  });

  it('has those of what the server gave by name', async () => {
    const c = newCluster();
    await stdout(c, 'create configmap m --from-literal=a=1');
    expect(keys(await stdout(c, 'get configmap m -o json'))).toBe(
      'apiVersion data a kind metadata creationTimestamp name namespace resourceVersion uid',
    );
  });
});
