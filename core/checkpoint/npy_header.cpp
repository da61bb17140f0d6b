// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/npy_header.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace core {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostHeaderBytes = std::size_t{1} << 20U;

constexpr std::array<std::pair<std::string_view, DType>, 13> kTypes{{{"f8", DType::F64},
                                                                     {"f4", DType::F32},
                                                                     {"f2", DType::F16},
                                                                     {"V2", DType::BF16},
                                                                     {"i8", DType::I64},
                                                                     {"i4", DType::I32},
                                                                     {"i2", DType::I16},
                                                                     {"i1", DType::I8},
                                                                     {"u8", DType::U64},
                                                                     {"u4", DType::U32},
                                                                     {"u2", DType::U16},
                                                                     {"u1", DType::U8},
                                                                     {"b1", DType::Bool}}};

[[noreturn]] void refuse(const NpyPlace& place, const std::string& text,
                         const char* hint = "the file is damaged: copy it again or save it anew") {
    throw Error(
        ErrorKind::BadInput,
        fmt::format("{}: array '{}' {}", place.file.string(), printable(place.member), text), hint);
}

[[noreturn]] void refuseType(const NpyPlace& place, std::string_view descr) {
    if (descr.ends_with("O"))
        refuse(place,
               fmt::format("holds Python objects ('{}'), which only pickle could read",
                           printable(descr, 40)),
               "save it as an array of numbers");
    if (descr.ends_with("V1"))
        refuse(place, "has elements of one byte without a type ('V1'): which FP8 is not said",
               "save it as float32 or bfloat16");
    refuse(place,
           fmt::format("has elements of type '{}', expected f2, f4, f8, i1 to i8, u1 to u8, b1 or "
                       "V2 (bfloat16)",
                       printable(descr, 40)),
           "save it as an array of numbers");
}

/// The header's text: a Python dict literal of exactly descr, fortran_order and shape.
class Literal {
  public:
    Literal(std::string_view text, const NpyPlace& place) : rest_(text), place_(place) {}

    NpyHeader read() {
        expect('{');
        bool type = false, order = false, shape = false;
        while (!take('}')) {
            const std::string_view key = quoted();
            expect(':');
            if (key == "descr" && !std::exchange(type, true))
                readType();
            else if (key == "fortran_order" && !std::exchange(order, true))
                header_.fortranOrder = boolean();
            else if (key == "shape" && !std::exchange(shape, true))
                header_.shape = tuple();
            else
                fail(
                    fmt::format("has the key '{}', expected descr, fortran_order and shape once "
                                "each",
                                printable(key, 40)));
            if (!take(',')) {
                expect('}');
                break;
            }
        }
        skipSpace();
        if (!rest_.empty()) unexpected("the end of the header");
        if (!type || !order || !shape) fail("lacks descr, fortran_order or shape");
        return std::move(header_);
    }

  private:
    void skipSpace() {
        const auto* const next = std::find_if_not(rest_.begin(), rest_.end(), [](char c) {
            return c == ' ' || c == '\n' || c == '\t' || c == '\r';
        });
        rest_.remove_prefix(static_cast<std::size_t>(next - rest_.begin()));
    }

    bool take(char c) {
        skipSpace();
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void expect(char c) {
        if (!take(c)) unexpected(std::string(1, c));
    }

    std::string_view quoted() {
        skipSpace();
        const char quote = rest_.empty() ? '\0' : rest_.front();
        if (quote != '\'' && quote != '"') unexpected("a text in quotes");
        const std::size_t end = rest_.find(quote, 1);
        if (end == std::string_view::npos) unexpected("a text in quotes");
        const std::string_view text = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        return text;
    }

    bool boolean() {
        skipSpace();
        for (const auto& [word, value] : {std::pair("True", true), std::pair("False", false)})
            if (rest_.starts_with(word)) {
                rest_.remove_prefix(std::string_view(word).size());
                return value;
            }
        unexpected("True or False");
    }

    /// A size; Python 2 wrote long ones with an L behind them.
    std::int64_t size() {
        skipSpace();
        std::int64_t value = -1;
        const auto [end, problem] =
            std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (problem != std::errc() || value < 0) unexpected("a size");
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        if (rest_.starts_with('L')) rest_.remove_prefix(1);
        return value;
    }

    Shape tuple() {
        expect('(');
        std::vector<std::int64_t> sizes;
        bool comma = true;
        while (!take(')')) {
            if (!comma) unexpected("a comma");
            if (sizes.size() == kMostNpyAxes)
                fail(fmt::format("has more than {} axes", kMostNpyAxes));
            sizes.push_back(size());
            comma = take(',');
        }
        if (sizes.size() == 1 && !comma) fail("has a shape that is not a tuple");
        return Shape(std::move(sizes));
    }

    void readType() {
        skipSpace();
        if (rest_.starts_with('['))
            refuse(place_, "is a structured array, expected one number an element",
                   "save its fields as arrays of their own");
        const std::string_view descr = quoted();
        const char order = descr.empty() ? '\0' : descr.front();
        const auto* const type = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& known) {
            return known.first == descr.substr(!descr.empty());
        });
        const bool isVoid = type != kTypes.end() && type->first == "V2";
        if (type == kTypes.end() ||
            std::string_view(isVoid ? "<|" : "<>|=").find(order) == std::string_view::npos)
            refuseType(place_, descr);
        header_.dtype = type->second;
        header_.isVoid = isVoid;
        header_.bigEndian = order == '>' && dtypeBytes(header_.dtype) > 1;
    }

    [[noreturn]] void unexpected(const std::string& expected) const {
        fail(fmt::format("has '{}' in its header, expected {}", printable(rest_, 20), expected));
    }
    [[noreturn]] void fail(const std::string& text) const { refuse(place_, text); }

    std::string_view rest_;
    const NpyPlace& place_;
    NpyHeader header_;
};

std::uint64_t littleEndian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;)
        value = value << 8U | static_cast<unsigned char>(bytes[i]);
    return value;
}

/// A shape like (3, 4), (3,) or () that NumPy reads.
std::string tupleText(const Shape& shape) {
    std::string text = "(";
    for (const std::int64_t size : shape.sizes())
        text += fmt::format("{}{}", text.size() > 1 ? ", " : "", size);
    return text + (shape.rank() == 1 ? ",)" : ")");
}

}  // namespace

std::size_t npyHeaderBytes(std::string_view begin, const NpyPlace& place) {
    if (!begin.starts_with(kMagic)) refuse(place, "does not begin like a .npy array");
    if (begin.size() < kNpyPreambleBytes) refuse(place, "ends in its header");
    const int major = static_cast<unsigned char>(begin[6]);
    const int minor = static_cast<unsigned char>(begin[7]);
    if (major < 1 || major > 3 || minor != 0)
        refuse(place,
               fmt::format("has a header of version {}.{}, expected 1.0 to 3.0", major, minor));
    const std::size_t width = major == 1 ? 2 : 4;
    const std::uint64_t text = littleEndian(begin.substr(8, width));
    if (text > kMostHeaderBytes) refuse(place, fmt::format("claims a header of {} bytes", text));
    return 8 + width + text;
}

NpyHeader readNpyHeader(std::string_view header, const NpyPlace& place) {
    NpyHeader read = Literal(header.substr(header[6] == '\1' ? 10 : 12), place).read();
    const std::span<const std::int64_t> sizes = read.shape.sizes();
    if (!read.shape.checkedElements())
        refuse(place, fmt::format("has the absurd shape {}", toString(read.shape)));
    if (std::count_if(sizes.begin(), sizes.end(), [](std::int64_t size) { return size != 1; }) < 2)
        read.fortranOrder = false;
    return read;
}

std::optional<std::string> makeNpyHeader(DType dtype, const Shape& shape) {
    const auto* const type = std::find_if(kTypes.begin(), kTypes.end(),
                                          [&](const auto& known) { return known.second == dtype; });
    if (type == kTypes.end() || shape.rank() > kMostNpyAxes) return std::nullopt;
    const bool orderless = dtypeBytes(dtype) == 1 || dtype == DType::BF16;
    std::string text = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': {}, }}",
                                   orderless ? '|' : '<', type->first, tupleText(shape));
    text.append(63 - (10 + text.size()) % 64, ' ');
    text += '\n';
    std::string header(kMagic);
    header +=
        {'\1', '\0', static_cast<char>(text.size() & 0xFFU), static_cast<char>(text.size() >> 8U)};
    return header + text;
}

}  // namespace core
