// kubectl certificate approve and deny (k8s.io/kubectl v0.36.3, pkg/cmd/certificates).

import type { KubeObject } from '../../apiserver/types.ts';
import { goQuote } from '../../sim/quote.ts';
import type { Co } from '../../sim/task.ts';
import { rfc3339 } from '../../sim/time.ts';
import { build } from '../builder.ts';
import { bool, type Cmd, flag, list, out } from '../command.ts';
import { fail, isFailure } from '../failure.ts';
import { resultPrinter } from '../print-flags.ts';
import { getObject, replaceObject } from '../requests.ts';

export function* run(cmd: Cmd): Co<number> {
  const approve = cmd.path.endsWith('approve');
  if (!cmd.args.length && !list(cmd, 'filename').length && !flag(cmd, 'kustomize'))
    fail('one or more CSRs must be specified as <name> or -f <filename>');
  const result = yield* build(cmd, {
    args: cmd.args,
    defaultType: 'certificatesigningrequests',
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    latest: true,
    flatten: true,
    continueOnError: true,
  });
  if (result.error) throw result.error;
  let found = 0;
  const [type, other] = approve ? ['Approved', 'Denied'] : ['Denied', 'Approved'];
  const error = result.visit(info => {
    if (info.mapping.kind !== 'CertificateSigningRequest')
      fail(`can only handle CertificateSigningRequest.certificates.k8s.io objects, got ${info.mapping.kind}.${info.mapping.group}`);
    const csr = getObject(cmd, info.mapping, '', info.name);
    if (isFailure(csr)) throw csr;
    const conditions: any[] = csr.status?.conditions ?? [];
    if (conditions.some(c => c.type === other)) fail(`certificate signing request ${goQuote(info.name)} is already ${other}`);
    found++;
    let after: KubeObject = csr;
    if (!conditions.some(c => c.type === type)) {
      const now = rfc3339(cmd.host.sim.nowMs);
      const verb = approve ? 'approve' : 'deny';
      const reason = approve ? 'KubectlApprove' : 'KubectlDeny';
      const message = `This CSR was ${approve ? 'approved' : 'denied'} by kubectl certificate ${verb}.`;
      const condition = { lastTransitionTime: now, lastUpdateTime: now, message, reason, status: 'True', type };
      after = { ...csr, status: { ...csr.status, conditions: [...conditions, condition] } };
      replaceObject(cmd, info.mapping, '', after, {}, 'approval');
    }
    resultPrinter(cmd, approve ? 'approved' : 'denied')(info.object);
  });
  if (error) throw error;
  if (!found) out(cmd, 'No resources found\n');
  return 0;
}
