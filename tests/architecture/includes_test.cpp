// SPDX-License-Identifier: Apache-2.0
#include "tests/architecture/source_tree.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace {

/// Which rooms a room may include, itself aside. ARCHITECTURE.md draws the same picture.
const std::map<std::string, std::set<std::string>> kAllowed{
    {"core/base", {}},
    {"core/tensor", {"core/base"}},
    {"core/ops", {"core/base", "core/tensor"}},
    {"core/cpu", {"core/base", "core/tensor", "core/ops"}},
    {"core/checkpoint", {"core/base", "core/tensor"}},
    {"core/model", {"core/base", "core/tensor", "core/ops", "core/checkpoint"}},
    {"core/surgery", {"core/base", "core/tensor", "core/ops", "core/checkpoint", "core/model"}},
    {"core/data", {"core/base", "core/tensor"}},
    {"core/training",
     {"core/base", "core/tensor", "core/ops", "core/checkpoint", "core/model", "core/data"}},
    {"core/run",
     {"core/base", "core/tensor", "core/ops", "core/cpu", "core/checkpoint", "core/model",
      "core/surgery", "core/data", "core/training", "gpu"}},
    {"gpu", {"core"}},
    {"ui", {"core"}},
    {"app/upcycle", {"core"}},
    {"app/upcycler", {"ui", "core"}},
};

std::string roomOf(const std::string& path) {
    for (const char* prefix : {"core/", "app/"}) {
        if (!path.starts_with(prefix)) continue;
        const auto slash = path.find('/', std::string(prefix).size());
        return slash == std::string::npos ? "" : path.substr(0, slash);
    }
    const std::string top = path.substr(0, path.find('/'));
    return top == "gpu" || top == "ui" || top == "tests" ? top : "";
}

bool mayInclude(const std::string& from, const std::string& to) {
    if (to.empty() || from == to) return true;
    const auto& allowed = kAllowed.at(from);
    return allowed.contains(to) || allowed.contains(to.substr(0, to.find('/')));
}

bool isThirdParty(const std::string& include, const std::string& header) {
    return include.starts_with(header);
}

TEST(Includes, FollowTheAllowedDirections) {
    const auto files = readSources({"core", "gpu", "ui", "app"}, {".h", ".cpp", ".cu", ".cuh"});
    ASSERT_GT(files.size(), 50U);
    for (const SourceFile& file : files) {
        const std::string room = roomOf(file.path);
        ASSERT_TRUE(kAllowed.contains(room)) << file.path << " lies in no known room";
        for (const std::string& include : includesOf(file)) {
            const std::string target = roomOf(include);
            EXPECT_TRUE(mayInclude(room, target)) << file.path << " includes " << include;
            if (room == "core/run" && target == "gpu") {
                EXPECT_EQ(include, "gpu/plugin.h")
                    << file.path << ": only the plug-in's C interface may be seen";
            }
        }
    }
}

TEST(Includes, QtStaysInTheWindow) {
    for (const SourceFile& file :
         readSources({"core", "gpu", "app/upcycle"}, {".h", ".cpp", ".cu", ".cuh"}))
        for (const std::string& include : includesOf(file)) {
            const bool qt =
                isThirdParty(include, "Qt") ||
                (include.size() > 1 && include[0] == 'Q' && include[1] >= 'A' && include[1] <= 'Z');
            EXPECT_FALSE(qt) << file.path << " includes " << include;
        }
}

TEST(Includes, CudaStaysInTheGpuFolder) {
    for (const SourceFile& file : readSources({"core", "ui", "app"}, {".h", ".cpp"}))
        for (const std::string& include : includesOf(file))
            EXPECT_FALSE(isThirdParty(include, "cuda") || isThirdParty(include, "cublas") ||
                         isThirdParty(include, "cub/"))
                << file.path << " includes " << include;
}

TEST(Includes, QtChartsStaysBehindOurOwnCharts) {
    for (const SourceFile& file : readSources({"ui", "app"}, {".h", ".cpp"})) {
        if (file.path.starts_with("ui/charts/")) continue;
        for (const std::string& include : includesOf(file))
            EXPECT_FALSE(include.starts_with("QtCharts") || include.starts_with("QChart") ||
                         include.ends_with("Series") || include.ends_with("Axis"))
                << file.path << " includes " << include;
    }
}

TEST(Includes, CorePublicHeadersNameNoThirdParty) {
    for (const SourceFile& file : readSources({"core"}, {".h"})) {
        if (file.path.ends_with("_internal.h")) continue;
        for (const std::string& include : includesOf(file))
            for (const char* library :
                 {"nlohmann", "fmt/", "hdf5", "H5", "dnnl", "oneapi", "simdjson", "Eigen", "png",
                  "turbojpeg", "zlib", "CLI/", "sentencepiece_"})
                EXPECT_FALSE(include.starts_with(library)) << file.path << " includes " << include;
    }
}

TEST(Includes, DeviceHeadersIncludeNothingFromOutside) {
    for (const SourceFile& file : readSources({"gpu/device"}, {".h", ".cuh"}))
        for (const std::string& include : includesOf(file))
            EXPECT_TRUE(!include.starts_with("core/") && !include.starts_with("ui/") &&
                        (!include.starts_with("gpu/") || include.starts_with("gpu/device/")))
                << file.path << " includes " << include;
}

}  // namespace
