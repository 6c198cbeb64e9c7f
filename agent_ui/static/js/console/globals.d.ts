// The vendored classic scripts set these; vendor.d.ts types what is taken from them.
declare var preact: any;
declare var preactHooks: any;
declare var preactSignals: any;
