// What the parts of Istio know each other by.
export const VERSION = '1.28.1';
/** meshConfig.rootNamespace. */
export const ROOT = 'istio-system';
export const TRUST_DOMAIN = 'cluster.local';
export const DOMAIN = 'cluster.local';
export const PROXY_IMAGE = `docker.io/istio/proxyv2:${VERSION}`;
export const PILOT_IMAGE = `docker.io/istio/pilot:${VERSION}`;
/** The proxy's user: its own connections are not redirected to it. */
export const PROXY_UID = 1337;

const networking = 'networking.istio.io';
const security = 'security.istio.io';
export const VIRTUAL_SERVICES = `virtualservices.${networking}`;
export const DESTINATION_RULES = `destinationrules.${networking}`;
export const GATEWAYS = `gateways.${networking}`;
export const SERVICE_ENTRIES = `serviceentries.${networking}`;
export const SIDECARS = `sidecars.${networking}`;
export const WORKLOAD_ENTRIES = `workloadentries.${networking}`;
export const PEER_AUTHENTICATIONS = `peerauthentications.${security}`;
export const REQUEST_AUTHENTICATIONS = `requestauthentications.${security}`;
export const AUTHORIZATION_POLICIES = `authorizationpolicies.${security}`;
export const SLICES = 'endpointslices.discovery.k8s.io';
