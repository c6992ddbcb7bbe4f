export { run } from './later.ts';
