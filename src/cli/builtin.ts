/** One of Node's modules, loaded when it is needed: an `import` would load it for every command. */
export const builtin = <T>(id: string): T =>
  // Node 20.16; before that, the module that Node itself loaded can.
  (process.getBuiltinModule ? process.getBuiltinModule(id) : process.mainModule?.require(id)) as T;
