// Specs of security.istio.io.
import { bool, list, type Schema, str, struct } from '../objects.ts';

const strings = () => list(str());
const MODES = ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'];
const mtls = () => struct({ mode: str({ enum: MODES }) });

export const peerAuthentication = (selector: () => Schema): Schema =>
  struct({ mtls: mtls(), portLevelMtls: { additionalProperties: mtls(), minProperties: 1, type: 'object' }, selector: selector() }, [], {
    'x-kubernetes-validations': [
      {
        message: 'portLevelMtls requires selector',
        rule: '(has(self.selector) && has(self.selector.matchLabels) && self.selector.matchLabels.size() > 0) || !has(self.portLevelMtls)',
      },
    ],
  });

const pairs = (names: string): Record<string, Schema> =>
  Object.fromEntries(names.split(' ').flatMap(n => [n, `not${n[0].toUpperCase()}${n.slice(1)}`].map(x => [x, strings()])));

export const authorizationPolicy = (selector: () => Schema, targetRef: () => Schema): Schema =>
  struct({
    action: str({ enum: ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'] }),
    provider: struct({ name: str() }),
    rules: list(
      struct({
        from: list(struct({ source: struct(pairs('ipBlocks namespaces principals remoteIpBlocks requestPrincipals serviceAccounts')) }), {
          maxItems: 512,
        }),
        to: list(struct({ operation: struct(pairs('hosts methods paths ports')) })),
        when: list(struct({ key: str(), notValues: strings(), values: strings() }, ['key'])),
      }),
      { maxItems: 512 },
    ),
    selector: selector(),
    targetRef: targetRef(),
    targetRefs: list(targetRef(), { maxItems: 16 }),
  });

const header = () => struct({ name: str({ minLength: 1 }), prefix: str() }, ['name']);

export const requestAuthentication = (selector: () => Schema, targetRef: () => Schema): Schema =>
  struct({
    jwtRules: list(
      struct(
        {
          audiences: list(str({ minLength: 1 })),
          forwardOriginalToken: bool(),
          fromCookies: list(str({ minLength: 1 })),
          fromHeaders: list(header()),
          fromParams: list(str({ minLength: 1 })),
          issuer: str({ minLength: 1 }),
          jwks: str(),
          jwksUri: str({ maxLength: 2048, minLength: 1 }),
          jwks_uri: str({ maxLength: 2048, minLength: 1 }),
          outputClaimToHeaders: list(struct({ claim: str({ minLength: 1 }), header: str({ minLength: 1 }) }, ['header', 'claim'])),
          outputPayloadToHeader: str(),
          spaceDelimitedClaims: list(str({ minLength: 1 })),
          timeout: str(),
        },
        ['issuer'],
      ),
      { maxItems: 4096 },
    ),
    selector: selector(),
    targetRef: targetRef(),
    targetRefs: list(targetRef(), { maxItems: 16 }),
  });
