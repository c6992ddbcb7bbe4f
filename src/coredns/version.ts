export const VERSION = '1.14.2';
