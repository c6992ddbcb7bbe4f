// Admission after validation: who may veto what is about to be written (the validating phase of k8s.io/apiserver/pkg/admission v0.36.3).

import { scaleOf } from '../read.ts';
import { requesterOf } from '../reviews.ts';
import { bucketOf } from '../store.ts';
import type { WriteContext } from '../strategy.ts';
import type { ApiRequest, ApiServer, KubeObject, ResourceInfo, Status } from '../types.ts';
import { podSecurity } from './pod-security/admit.ts';
import type { Attempt } from './policies/match.ts';
import { validatingPolicies } from './policies/validating.ts';
import { validatingWebhooks } from './validating-webhooks.ts';
import { isExempt, VALIDATING_WEBHOOKS } from './webhooks.ts';

/** A create or an update, of the object itself or of a subresource. */
export function vetoWrite(c: WriteContext, o: KubeObject, old: KubeObject | null): Status | null {
  const a: Attempt = {
    server: c.server,
    info: c.info,
    subresource: c.scale ? 'scale' : (c.request.subresource ?? ''),
    operation: old ? 'UPDATE' : 'CREATE',
    name: o.metadata.name ?? '',
    namespace: namespaceOf(c.info, o),
    object: c.scale ? scaleOf(o) : o,
    old: c.scale && old ? scaleOf(old) : old,
  };
  return veto(a, c.request, c.warnings);
}

export function vetoDelete(server: ApiServer, info: ResourceInfo, req: ApiRequest, old: KubeObject, warnings: string[]): Status | null {
  const { name } = old.metadata;
  const a: Attempt = { server, info, subresource: '', operation: 'DELETE', name, namespace: namespaceOf(info, old), object: null, old };
  return veto(a, req, warnings);
}

const POLICIES = 'validatingadmissionpolicies.admissionregistration.k8s.io';

function veto(a: Attempt, req: ApiRequest, warnings: string[]): Status | null {
  const denied = podSecurity(a, warnings);
  if (denied || isExempt(a)) return denied;
  const has = (bucket: string) => bucketOf(a.server, bucket).objects.size > 0;
  const [policies, webhooks] = [has(POLICIES), has(VALIDATING_WEBHOOKS)];
  // Most clusters have neither: what evaluates policies is not even loaded then.
  if (!policies && !webhooks) return null;
  const by = { user: requesterOf(req), dryRun: req.query?.dryRun ?? false, warnings };
  return (policies ? validatingPolicies(a, by) : null) ?? (webhooks ? validatingWebhooks(a, by) : null);
}

/** A Namespace is in itself. */
const namespaceOf = (info: ResourceInfo, o: KubeObject): string =>
  info.group === '' && info.resource === 'namespaces' ? o.metadata.name : (o.metadata.namespace ?? '');
