// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a module says of its compilation: `pattern.stage`, how far it has come, and
// `pattern.target`.
#include "Pattern/IR/Stage.h"

using namespace mlir;
using namespace pconv::pattern;

static constexpr llvm::StringLiteral kStage = "pattern.stage";

FailureOr<Stage> pconv::pattern::getStage(ModuleOp module) {
  Attribute attribute = module->getAttr(kStage);
  if (!attribute)
    return Stage::Imported;
  auto name = dyn_cast<StringAttr>(attribute);
  std::optional<Stage> stage = name ? symbolizeStage(name) : std::nullopt;
  if (!stage)
    return module.emitError("expected ") << kStage << " to name a stage, got " << attribute;
  return *stage;
}

LogicalResult pconv::pattern::checkNotPast(ModuleOp module, Stage stage) {
  FailureOr<Stage> now = getStage(module);
  if (failed(now))
    return failure();
  if (*now > stage)
    return module.emitError("expected a network at stage '")
           << stringifyStage(stage) << "' or before, got stage '" << stringifyStage(*now) << "'";
  return success();
}

void pconv::pattern::setStage(ModuleOp module, Stage stage) {
  module->setAttr(kStage, StringAttr::get(module.getContext(), stringifyStage(stage)));
}

TargetAttr pconv::pattern::getTarget(ModuleOp module) {
  auto target = module->getAttrOfType<TargetAttr>("pattern.target");
  if (!target)
    module.emitError("expected a module attribute pattern.target, got none");
  return target;
}
