// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The attributes of the pattern dialect: text form and verification.
#include "Verify.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/TypeSwitch.h"

#include <set>

using namespace mlir;
using namespace pconv::pattern;

#include "Pattern/IR/PatternEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "Pattern/IR/PatternAttrs.cpp.inc"

void PatternDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "Pattern/IR/PatternAttrs.cpp.inc"
      >();
}

bool pconv::pattern::isScheme(Attribute attribute) {
  return isa<DenseAttr, KernelAttr, BlockPunchedAttr, BlockAttr, UnstructuredAttr>(attribute);
}

using EmitError = llvm::function_ref<InFlightDiagnostic()>;

//===----------------------------------------------------------------------===//
// Lists of lists of numbers
//===----------------------------------------------------------------------===//

/// Parses `[0, 1, 3, 4]`.
static ParseResult parseNumbers(AsmParser &parser, DenseI32ArrayAttr &numbers) {
  SmallVector<int32_t> list;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                     [&] { return parser.parseInteger(list.emplace_back()); }))
    return failure();
  numbers = parser.getBuilder().getDenseI32ArrayAttr(list);
  return success();
}

/// Parses `[[0, 1], [2]]`.
static ParseResult parseNumberLists(AsmParser &parser, SmallVectorImpl<DenseI32ArrayAttr> &lists) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                        [&] { return parseNumbers(parser, lists.emplace_back()); });
}

static void printNumbers(AsmPrinter &printer, DenseI32ArrayAttr numbers) {
  printer << '[';
  llvm::interleaveComma(numbers.asArrayRef(), printer);
  printer << ']';
}

static void printNumberLists(AsmPrinter &printer, ArrayRef<DenseI32ArrayAttr> lists) {
  printer << '[';
  llvm::interleaveComma(lists, printer,
                        [&](DenseI32ArrayAttr list) { printNumbers(printer, list); });
  printer << ']';
}

//===----------------------------------------------------------------------===//
// LibraryAttr
//===----------------------------------------------------------------------===//

Attribute LibraryAttr::parse(AsmParser &parser, Type) {
  SmallVector<int64_t, 2> size;
  SmallVector<DenseI32ArrayAttr> cells;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(size, /*allowDynamic=*/false, /*withTrailingX=*/false) ||
      parser.parseComma() || parseNumberLists(parser, cells) || parser.parseGreater())
    return {};
  if (size.size() != 2) {
    parser.emitError(loc, "expected the kernel size as HxW, got ") << size.size() << " numbers";
    return {};
  }
  return parser.getChecked<LibraryAttr>(loc, parser.getContext(), size[0], size[1], cells);
}

void LibraryAttr::print(AsmPrinter &printer) const {
  printer << '<' << getHeight() << 'x' << getWidth() << ", ";
  printNumberLists(printer, getCells());
  printer << '>';
}

LogicalResult LibraryAttr::verify(EmitError emitError, int64_t height, int64_t width,
                                  ArrayRef<DenseI32ArrayAttr> cells) {
  constexpr int64_t maxSize = 255;
  if (height < 1 || width < 1 || height > maxSize || width > maxSize)
    return emitError() << "expected a kernel size in 1.." << maxSize << ", got " << height << "x"
                       << width;
  if (cells.empty() || cells.size() > 127)
    return emitError() << "expected 1 to 127 kernel patterns, got " << cells.size();
  llvm::DenseSet<Attribute> seen;
  for (auto [index, pattern] : llvm::enumerate(cells)) {
    if (pattern.empty())
      return emitError() << "expected at least 1 cell in kernel pattern " << index + 1 << ", got 0";
    int32_t previous = -1;
    for (int32_t cell : pattern.asArrayRef()) {
      if (cell <= previous || cell >= height * width)
        return emitError() << "expected ascending cells in 0.." << height * width - 1
                           << " in kernel pattern " << index + 1 << ", got ["
                           << pattern.asArrayRef() << "]";
      previous = cell;
    }
    if (!seen.insert(pattern).second)
      return emitError() << "expected each kernel pattern once, got [" << pattern.asArrayRef()
                         << "] again as kernel pattern " << index + 1;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// KernelAttr
//===----------------------------------------------------------------------===//

Attribute KernelAttr::parse(AsmParser &parser, Type) {
  LibraryAttr library;
  if (parser.parseLess() || parser.parseAttribute(library) || parser.parseGreater())
    return {};
  return get(parser.getContext(), library);
}

void KernelAttr::print(AsmPrinter &printer) const {
  // In full, not stripped: so an alias of the library can stand here.
  printer << '<' << Attribute(getLibrary()) << '>';
}

//===----------------------------------------------------------------------===//
// LoadsAttr
//===----------------------------------------------------------------------===//

Attribute LoadsAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef scopeName;
  DenseI32ArrayAttr taps;
  SmallVector<DenseI32ArrayAttr> uses;
  if (parser.parseLess() || parser.parseKeyword("scope") || parser.parseEqual() ||
      parser.parseKeyword(&scopeName) || parser.parseComma() || parser.parseKeyword("taps") ||
      parser.parseEqual() || parseNumbers(parser, taps) || parser.parseComma() ||
      parser.parseKeyword("uses") || parser.parseEqual() || parseNumberLists(parser, uses))
    return {};
  int64_t pairs = 0;
  if (succeeded(parser.parseOptionalComma()) &&
      (parser.parseKeyword("pairs") || parser.parseEqual() || parser.parseInteger(pairs)))
    return {};
  if (parser.parseGreater())
    return {};
  std::optional<LoadScope> scope = symbolizeLoadScope(scopeName);
  if (!scope) {
    parser.emitError(loc, "expected a scope of kernel or run, got ") << scopeName;
    return {};
  }
  return parser.getChecked<LoadsAttr>(loc, parser.getContext(), *scope, taps, uses, pairs);
}

void LoadsAttr::print(AsmPrinter &printer) const {
  printer << "<scope = " << stringifyLoadScope(getScope()) << ", taps = ";
  printNumbers(printer, getTaps());
  printer << ", uses = ";
  printNumberLists(printer, getUses());
  if (getPairs())
    printer << ", pairs = " << getPairs();
  printer << '>';
}

LogicalResult LoadsAttr::verify(EmitError emitError, LoadScope, DenseI32ArrayAttr taps,
                                ArrayRef<DenseI32ArrayAttr> uses, int64_t pairs) {
  if (taps.size() % 2 != 0)
    return emitError() << "expected pairs of row and column in taps, got " << taps.size()
                       << " numbers";
  int32_t loads = taps.size() / 2;
  std::set<std::pair<int32_t, int32_t>> seen; // a DenseSet reserves some pairs for itself
  for (int32_t i = 0; i < loads; ++i)
    if (!seen.insert({taps[2 * i], taps[2 * i + 1]}).second)
      return emitError() << "expected each tap once, got (" << taps[2 * i] << ", "
                         << taps[2 * i + 1] << ") again as load " << i;
  for (DenseI32ArrayAttr list : uses)
    for (int32_t use : list.asArrayRef())
      if (use < 0 || use >= loads)
        return emitError() << "expected uses in 0.." << loads - 1 << ", got " << use;
  for (DenseI32ArrayAttr list : uses) {
    if (pairs < 0 || pairs > list.size() / 2)
      return emitError() << "expected room for " << pairs << " pairs, got " << list.size()
                         << " uses";
    for (int64_t i = 0; i < 2 * pairs; i += 2)
      if (taps[2 * list[i + 1]] != int64_t(taps[2 * list[i]]) + 1 ||
          taps[2 * list[i + 1] + 1] != taps[2 * list[i] + 1])
        return emitError() << "expected the cells of a pair one below the other, got ("
                           << taps[2 * list[i]] << ", " << taps[2 * list[i] + 1] << ") and ("
                           << taps[2 * list[i + 1]] << ", " << taps[2 * list[i + 1] + 1] << ")";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Attributes with generated text forms
//===----------------------------------------------------------------------===//

/// Fails unless the named number lies in `min` .. `max`.
static LogicalResult verifyNumber(EmitError emitError, StringRef name, int64_t number, int64_t min,
                                  int64_t max) {
  if (number >= min && number <= max)
    return success();
  return emitError() << "expected " << name << " in " << min << ".." << max << ", got " << number;
}

using NamedNumbers = ArrayRef<std::pair<StringRef, int64_t>>;

static LogicalResult verifyPositive(EmitError emitError, NamedNumbers numbers,
                                    int64_t max = maxNumber) {
  return success(llvm::all_of(numbers, [&](auto number) {
    return succeeded(verifyNumber(emitError, number.first, number.second, 1, max));
  }));
}

LogicalResult BlockPunchedAttr::verify(EmitError emitError, int64_t filters, int64_t channels) {
  return verifyPositive(emitError, {{"filters", filters}, {"channels", channels}});
}

LogicalResult BlockAttr::verify(EmitError emitError, int64_t rows, int64_t cols) {
  return verifyPositive(emitError, {{"rows", rows}, {"cols", cols}});
}

LogicalResult ActivationAttr::verify(EmitError emitError, Function function, FloatAttr alpha) {
  if ((function == Function::LeakyRelu) != static_cast<bool>(alpha))
    return emitError() << "expected alpha with leaky_relu and with nothing else, got "
                       << stringifyFunction(function) << (alpha ? " with" : " without") << " alpha";
  if (alpha && !alpha.getValue().isFinite())
    return emitError() << "expected a finite alpha, got " << alpha;
  return success();
}

LogicalResult PoolAttr::verify(EmitError emitError, PoolKind, DenseI64ArrayAttr kernel,
                               DenseI64ArrayAttr strides) {
  if (kernel.size() != 2 || strides.size() != 2)
    return emitError() << "expected two numbers each for kernel and strides, got " << kernel.size()
                       << " and " << strides.size();
  return verifyPositive(emitError,
                        {{"kernel height", kernel[0]},
                         {"kernel width", kernel[1]},
                         {"vertical stride", strides[0]},
                         {"horizontal stride", strides[1]}},
                        maxDistance);
}

LogicalResult BatchNormAttr::verify(EmitError emitError, FlatSymbolRefAttr, FlatSymbolRefAttr,
                                    FlatSymbolRefAttr, FlatSymbolRefAttr, FloatAttr epsilon) {
  if (!epsilon.getValue().isFinite() || epsilon.getValue().isNegative())
    return emitError() << "expected a finite epsilon that is not negative, got " << epsilon;
  return success();
}

LogicalResult TargetAttr::verify(EmitError emitError, int64_t lanes, int64_t registers, bool,
                                 int64_t l1, int64_t l2) {
  // The smallest kernel loop keeps a sum, an input and two weights.
  if (failed(verifyNumber(emitError, "lanes", lanes, 1, maxTile)) ||
      failed(verifyNumber(emitError, "registers", registers, 4, maxTile)))
    return failure();
  return verifyPositive(emitError, {{"l1", l1}, {"l2", l2}});
}

LogicalResult ScheduleAttr::verify(EmitError emitError, Dataflow, int64_t rows, int64_t vectors,
                                   int64_t filterBlock, int64_t channelBlock) {
  if (failed(verifyPositive(emitError, {{"rows", rows}, {"vectors", vectors}}, maxTile)))
    return failure();
  return verifyPositive(emitError,
                        {{"filter_block", filterBlock}, {"channel_block", channelBlock}});
}

//===----------------------------------------------------------------------===//
// PlaneAttr
//===----------------------------------------------------------------------===//

LogicalResult PlaneAttr::verify(EmitError emitError, int64_t halo, int64_t rowStride,
                                int64_t channelStride, int64_t rowPhases, int64_t colPhases) {
  if (failed(verifyNumber(emitError, "halo", halo, 0, maxDistance)) ||
      failed(verifyNumber(emitError, "channel_stride", channelStride, 1, maxElements)) ||
      failed(verifyPositive(emitError, {{"row_phases", rowPhases}, {"col_phases", colPhases}},
                            maxDistance)))
    return failure();
  return verifyNumber(emitError, "row_stride", rowStride, 1, maxElements);
}

/// C3: the bordered plane (one sub-plane, if there are phases) fits its share of the channel.
static LogicalResult verifyChannel(EmitError emitError, PlaneAttr plane, int64_t rows,
                                   int64_t cols) {
  int64_t parts = plane.getRowPhases() * plane.getColPhases();
  if (plane.getChannelStride() % parts != 0)
    return emitError() << "expected the number of sub-planes (" << parts
                       << ") to divide channel_stride, got " << plane.getChannelStride();
  int64_t room = plane.getChannelStride() / parts - cols;
  if (room >= 0 && room / plane.getRowStride() >= rows - 1)
    return success();
  return emitError() << "expected a channel_stride that holds " << parts << " times " << rows
                     << " rows of " << plane.getRowStride() << ", got " << plane.getChannelStride();
}

LogicalResult PlaneAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                        EmitError emitError) const {
  if (shape.size() != 4 || !elementType.isF32() || countElements(shape) < 0)
    return emitError() << "expected #pattern.plane on a static f32 tensor of rank 4 with 1 to 2^40 "
                          "elements, got shape "
                       << formatShape(shape) << " of " << elementType;
  if (getChannelStride() > maxElements / (shape[0] * shape[1]))
    return emitError() << "expected a tensor of at most 2^40 floats with its border, got "
                       << shape[0] << "x" << shape[1] << " channels of " << getChannelStride();
  int64_t rows = llvm::divideCeil(shape[2] + 2 * getHalo(), getRowPhases());
  int64_t cols = llvm::divideCeil(shape[3] + 2 * getHalo(), getColPhases());
  int64_t width = getColPhases() == 1 ? shape[3] + getHalo() : cols;
  if (getRowStride() < width)
    return emitError() << "expected a row_stride of at least " << width << " for " << shape[3]
                       << " columns and halo " << getHalo() << ", got " << getRowStride();
  // Who writes a plane clears what lies between its rows, and behind the last one as well.
  bool wholeRows = getHalo() == 0 && getRowPhases() * getColPhases() == 1;
  return verifyChannel(emitError, *this, rows, wholeRows ? getRowStride() : cols);
}
