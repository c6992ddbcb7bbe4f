// A web server that somebody wrote into a ConfigMap.
import { beforeAll, describe, expect, it } from 'vitest';
import { clusterConfig } from '../../src/cluster/config.ts';
import { type TestCluster, testCluster } from './harness.ts';

const SERVER = `import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

STOCK = {"rye": 3, "oat": 0}

class Bakery(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.strip("/")
        if name == "broken":
            return self.missing()
        if name not in STOCK:
            self.send_error(404, "No such bread")
            return
        body = json.dumps({"bread": name, "left": STOCK[name], "for": self.headers.get("X-Customer", "anyone")})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        STOCK[self.rfile.read(size).decode()] = 1
        self.send_response(201)
        self.end_headers()

if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8000"))
    print(f"baking on {port}", flush=True)
    sys.stdout.flush()
    HTTPServer(("", port), Bakery).serve_forever()
`;

let c: TestCluster;
const curl = (...argv: string[]) => c.exec('tool', ['curl', '-s', '-m', '5', ...argv]).out;

beforeAll(async () => {
  c = await testCluster(clusterConfig({ nodes: 1 }));
  c.must('run tool --image=curlimages/curl -- sleep infinity');
  c.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'code' }, data: { 'bakery.py': SERVER } });
  c.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'bakery', labels: { app: 'bakery' } },
    spec: {
      containers: [
        {
          name: 'web',
          image: 'python:3.12-slim',
          command: ['python', '-u', '/app/bakery.py'],
          env: [{ name: 'PORT', value: '9000' }],
          volumeMounts: [{ name: 'code', mountPath: '/app' }],
        },
      ],
      volumes: [{ name: 'code', configMap: { name: 'code' } }],
    },
  });
  c.must('expose pod bakery --port=80 --target-port=9000');
  c.must('wait --for=condition=Ready pod --all --timeout=60s');
}, 60_000);

describe('a server in Python', () => {
  it('answers as it is written', () => {
    expect(curl('http://bakery/rye')).toBe('{"bread": "rye", "left": 3, "for": "anyone"}');
    expect(curl('-H', 'X-Customer: ann', 'http://bakery/oat')).toBe('{"bread": "oat", "left": 0, "for": "ann"}');
    expect(curl('-i', 'http://bakery/rye')).toMatch(
      /^HTTP\/1\.0 200 OK\r\nServer: BaseHTTP\/0\.6 Python\/3\.11\.14\r\nDate: .*\r\nContent-Type: application\/json\r\n\r\n/,
    );
    expect(curl('-o', '/dev/null', '-w', '%{http_code}', 'http://bakery/cake')).toBe('404');
  });

  it('keeps its state, and reads bodies', () => {
    expect(curl('-i', '-d', 'corn', 'http://bakery/')).toContain('201 Created');
    expect(curl('http://bakery/corn')).toContain('"left": 1');
  });

  it('logs as http.server does, and shows its mistakes', () => {
    curl('http://bakery/broken');
    const log = c.must('logs bakery');
    expect(log).toMatch(/^baking on 9000\n/);
    expect(log).toMatch(/10\.244\.\d+\.\d+ - - \[01\/Jan\/2026 \d\d:\d\d:\d\d\] "GET \/rye HTTP\/1\.1" 200 -\n/);
    expect(log).toContain("AttributeError: 'Bakery' object has no attribute 'missing'");
  });
});
