// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "CAPI/Pconv.h"

int main(int argc, char **argv) { return pconvLspServerMain(argc, argv); }
