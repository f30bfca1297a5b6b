// RUN: pconv-opt %s -verify-diagnostics -pattern-verify-stage=stage=melted

// expected-error @+1 {{expected the option `stage` to name a stage, got 'melted'}}
module {
}
