// SPDX-License-Identifier: Apache-2.0
#include "core/run/loss_picture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <regex>

namespace core {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// The name in <name a="1" b="2"> or </name>, empty when it is no such element.
std::string nameIn(std::string element) {
    const bool closes = element.starts_with("</");
    element = element.substr(closes ? 2 : 1, element.size() - (closes ? 3 : 2));
    if (element.ends_with("/")) element.pop_back();
    const std::size_t end = std::min(element.find(' '), element.size());
    const std::string name = element.substr(0, end);
    bool quoted = false;
    for (std::size_t i = end; i < element.size(); ++i) {
        const char c = element[i];
        if (c == '"') {
            if (!quoted && element[i - 1] != '=') return {};
            quoted = !quoted;
        } else if (quoted ? c == '<' || c == '&'
                          : std::isalnum(static_cast<unsigned char>(c)) == 0 && c != ' ' &&
                                c != '=' && c != '-') {
            return {};
        }
    }
    const bool word =
        std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
    return quoted || !word ? std::string() : name;
}

/// Whether every element is closed in its turn, attributes are quoted, and no character is raw that
/// must not be: what an XML parser would refuse.
testing::AssertionResult wellFormed(const std::string& text) {
    std::vector<std::string> open;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::string here = text.substr(at, 80);
        if (text[at] == '&') {
            const std::string entity = here.substr(0, here.find(';') + 1);
            if (entity != "&amp;" && entity != "&lt;" && entity != "&gt;" && entity != "&quot;" &&
                entity != "&#39;")
                return testing::AssertionFailure() << "no entity at: " << here;
        } else if (text[at] == '<') {
            const std::size_t end = text.find('>', at);
            if (end == std::string::npos) return testing::AssertionFailure() << "cut: " << here;
            const std::string element = text.substr(at, end - at + 1);
            const std::string name = nameIn(element);
            if (name.empty()) return testing::AssertionFailure() << "no element at: " << here;
            if (element.starts_with("</")) {
                if (open.empty() || open.back() != name)
                    return testing::AssertionFailure() << "closes nothing: " << here;
                open.pop_back();
            } else if (!element.ends_with("/>")) {
                open.push_back(name);
            }
            at = end;
        } else if (open.empty() && text[at] != '\n') {
            return testing::AssertionFailure() << "text outside: " << here;
        }
    }
    if (!open.empty()) return testing::AssertionFailure() << "not closed: " << open.back();
    return testing::AssertionSuccess();
}

LossCurve curve(std::int64_t steps) {
    LossCurve made;
    for (std::int64_t step = 1; step <= steps; ++step) {
        const auto s = static_cast<double>(step);
        made.training.emplace_back(step, 2.0 / std::sqrt(s) + 0.1 * std::sin(s));
        if (step % 100 == 0) made.evaluation.emplace_back(step, 2.1 / std::sqrt(s));
    }
    made.evaluationName = "test";
    return made;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

TEST(LossPicture, IsWellFormedAndSaysWhatItShows) {
    const std::string svg = lossPicture(curve(5000));
    EXPECT_TRUE(wellFormed(svg));
    EXPECT_TRUE(svg.starts_with(kLossPictureMark));
    EXPECT_EQ(count(svg, "class=\"evaluation\""), 51U);  // fifty dots and the legend
    EXPECT_NE(svg.find(">step</text>"), std::string::npos);
    EXPECT_NE(svg.find(">loss</text>"), std::string::npos);
    EXPECT_NE(svg.find(">2,000</text>"), std::string::npos);
    EXPECT_NE(svg.find(">test</text>"), std::string::npos);
    EXPECT_NE(svg.find("prefers-color-scheme: dark"), std::string::npos);
    EXPECT_NE(svg.find("From step 1 to step 5,000"), std::string::npos);
    EXPECT_EQ(svg, lossPicture(curve(5000)));
    EXPECT_LT(svg.size(), 40'000U);
}

TEST(LossPicture, PlacesValuesBetweenTheAxes) {
    const std::string svg = lossPicture(curve(5000));
    const std::regex points("[ML]([0-9.]+) ([0-9.]+)");
    const std::size_t begin = svg.find("class=\"mean\"");
    ASSERT_NE(begin, std::string::npos);
    const std::string path = svg.substr(begin, svg.find("/>", begin) - begin);
    double before = -1;
    std::size_t found = 0;
    for (std::sregex_iterator at(path.begin(), path.end(), points), end; at != end; ++at, ++found) {
        const double x = std::stod((*at)[1]);
        const double y = std::stod((*at)[2]);
        EXPECT_GT(x, before);
        EXPECT_GE(x, 64.0);
        EXPECT_LE(x, 700.0);
        EXPECT_GE(y, 34.0);
        EXPECT_LE(y, 264.0);
        before = x;
    }
    EXPECT_GE(found, 150U);
    EXPECT_LE(found, 300U);
}

TEST(LossPicture, OddCurves) {
    EXPECT_EQ(lossPicture({}), "");
    EXPECT_EQ(lossPicture({{{1, kNan}}, {}, "test"}), "");
    for (const LossCurve& odd : std::vector<LossCurve>{
             {{{7, 1.5}}, {}, "test"},
             {{}, {{7, 1.5}}, "test"},
             {{{1, 0.0}, {2, 0.0}}, {}, "test"},
             {{{1, 1e300}, {2, 1e-300}}, {}, "test"},
             {{{1, 3.0}, {2, kNan}, {3, std::numeric_limits<double>::infinity()}, {4, 2.0}},
              {},
              "test"},
             {{{0, 1.0}, {4'000'000'000'000'000'000, 2.0}}, {}, "test"},
             {{{1, 1.0}, {2, 2.0}}, {{2, 1.0}}, "<b>&\"'"}}) {
        const std::string svg = lossPicture(odd);
        EXPECT_TRUE(wellFormed(svg)) << svg;
        EXPECT_EQ(svg.find("nan"), std::string::npos) << svg;
        EXPECT_EQ(svg.find("inf"), std::string::npos) << svg;
        EXPECT_LT(count(svg, "<text"), 30U) << svg;
    }
}

}  // namespace
}  // namespace core
