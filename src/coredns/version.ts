export const VERSION = '1.14.2';
export const GO_VERSION = 'go1.26.0';
